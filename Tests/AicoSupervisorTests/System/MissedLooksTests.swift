// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import LinuxSystem
import SystemPackage
import Testing

@testable import AicoSupervisor

struct MissedLooksTests {
    @Test(arguments: [Errno.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory])
    func whatMayPassIsPassedOverForAWhile(_ code: Errno) {
        var looks = MissedLooks()
        let errors: [any Error] = [
            SystemError("list", "/proc/1/fd", code),
            CgroupError(operation: "read", subject: "worker", errno: code.rawValue),
        ]
        for error in errors {
            for _ in 0..<MissedLooks.most {
                let isEnough = looks.isEnough(with: error)
                #expect(!isEnough)
            }
            let isEnough = looks.isEnough(with: error)
            #expect(isEnough)
            looks.forget()
        }
    }

    /// One that may not be looked at, or holds more than is listed, is ended at once.
    @Test func whatStaysIsEnoughAtOnce() {
        for cause in [
            SystemError("list", "/proc/1/fd", .permissionDenied),
            SystemError("list", "/proc/1/fd", .untrusted("it has more than 4096 names")),
        ] {
            var looks = MissedLooks()
            let isEnough = looks.isEnough(with: cause)
            #expect(isEnough)
        }
    }
}
