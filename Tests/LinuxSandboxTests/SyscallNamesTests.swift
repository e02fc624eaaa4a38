// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Testing

@testable import LinuxSandbox

struct SyscallNamesTests {
    @Test func namesStandAtTheirNumbers() {
        let known: [(Int, String)] = [
            (Int(SYS_read), "read"), (Int(SYS_ptrace), "ptrace"), (Int(SYS_seccomp), "seccomp"),
            (Int(SYS_statx), "statx"), (Int(SYS_rseq), "rseq"), (Int(SYS_clone3), "clone3"),
            (Int(SYS_pidfd_send_signal), "pidfd_send_signal"),
            (Int(SYS_landlock_restrict_self), "landlock_restrict_self"),
            (Int(SYS_futex_waitv), "futex_waitv"),
        ]
        for (number, name) in known { #expect(SyscallNames.name(of: Int32(number)) == name) }
        #expect(SyscallNames.name(of: 469) == "file_setattr")
    }

    @Test func unknownNumberIsGivenAsSuch() {
        for number: Int32 in [-1, 335, 423, 9999] {
            #expect(SyscallNames.name(of: number) == "syscall \(number)")
        }
    }
}
