// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import Testing

@testable import TaskKit

/// Outside every sandbox the ways are open: a canary that finds them closed has looked.
struct EscapeCheckTests {
    /// What the machine itself may close to root: a read-only /proc, a filter around the tests.
    private static let dependent: Set<EscapeCheck> = [
        .writeFirstMemory, .writeCorePattern, .writeSysrqTrigger, .enterRunDirectory,
        .gainPrivileges, .runUnfiltered,
    ]

    @Test(
        .enabled(if: geteuid() == 0, "needs root"),
        arguments: EscapeCheck.allCases.filter { !dependent.contains($0) })
    func wayIsOpenToRootOutside(way: EscapeCheck) {
        // Beside the test process's own descriptors.
        #expect(way.isOpen(channel: -1))
    }

    @Test func whatTheMachineMayCloseIsFoundAsItIs() throws {
        let status = try text("/proc/self/status")
        #expect(
            EscapeCheck.gainPrivileges.isOpen(channel: -1) == status.contains("NoNewPrivs:\t0"))
        #expect(EscapeCheck.runUnfiltered.isOpen(channel: -1) == !status.contains("Seccomp:\t2"))
        for (way, path) in [
            (EscapeCheck.writeCorePattern, "/proc/sys/kernel/core_pattern"),
            (.writeSysrqTrigger, "/proc/sysrq-trigger"),
        ] {
            let file = open(path, O_WRONLY)
            #expect(way.isOpen(channel: -1) == (file >= 0))
            if file >= 0 { close(file) }
        }
    }

    @Test func nothingIsLeftBehind() {
        for way in EscapeCheck.allCases { _ = way.isOpen(channel: -1) }
        for path in ["/usr/aico-canary", "/aico-canary", "/tmp/aico-canary"] {
            #expect(access(path, F_OK) != 0)
        }
    }

    private func text(_ path: String) throws -> String {
        let file = open(path, O_RDONLY)
        try #require(file >= 0)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
