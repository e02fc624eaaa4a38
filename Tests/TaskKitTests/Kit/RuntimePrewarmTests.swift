// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

@testable import TaskKit
@testable import UserTasks

/// What is done ahead leaves nothing behind: task processes are cloned from what it leaves.
struct RuntimePrewarmTests {
    private func open() throws -> [String] {
        let directory = try #require(opendir("/proc/self/fd"))
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.sorted()
    }

    private func blocked() -> [Int32] {
        var signals = sigset_t()
        sigprocmask(SIG_SETMASK, nil, &signals)
        return (1..<65).filter { sigismember(&signals, $0) == 1 }
    }

    @Test(arguments: [false, true])
    func nothingStays(isConfined: Bool) throws {
        let run = isConfined ? RuntimePrewarm.runConfined : RuntimePrewarm.run
        // The first time makes what the runtime keeps.
        run([CommandTask.self])
        let (descriptors, signals) = (try open(), blocked())
        run([CommandTask.self])
        #expect(try open() == descriptors)
        #expect(blocked() == signals)
    }

    @Test func theCommandsWayIsGoneToItsEnd() throws {
        let process = try CommandProcess.prepared(
            argv: ["true"], variables: ["PATH": CommandEnvironment.path], workingDirectory: "/")
        #expect(process.processID == getpid())
        #expect(process.inputNumber >= 0 && process.resultNumber >= 0)
    }
}
