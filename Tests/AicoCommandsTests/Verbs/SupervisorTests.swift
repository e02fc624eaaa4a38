// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import Testing

@testable import AicoCommands

@Suite(.serialized)
struct SupervisorTests {
    /// A process id that no process can have.
    private static let nobody = 999_999_999

    private static func script(pid: Int) -> FakeBus.Script {
        { request in
            request.topic == .supervisorStop
                ? .data(["stopping": true], isLast: true)
                : .data(["supervisor": ["pid": .int(pid)]])
        }
    }

    @Test func stopWaitsUntilNobodyAnswers() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Self.script(pid: Self.nobody))
        let run = CommandRun(["supervisor", "stop"], root: root)
        #expect(run.status == 0)
        #expect(run.talk == "stopped\n")
        #expect(run.output == "")
        #expect(bus.requests.map(\.topic) == [.supervisorStatus, .supervisorStop])
    }

    @Test func stopSaysWhereTheSupervisorIsStillThere() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Self.script(pid: Int(getpid())))
        let run = CommandRun(["supervisor", "stop", "--timeout", "0"], root: root)
        #expect(run.status == 1)
        #expect(
            run.talk == """
                aico: cannot say that the supervisor stopped: it still runs after 0 s
                hint: look with "aico supervisor status", or wait longer with --timeout

                """)
        #expect(bus.requests.count == 2)
    }

    @Test func onlyWhatExistsRuns() {
        #expect(ProcessTable.isRunning(getpid()))
        #expect(!ProcessTable.isRunning(Int32(Self.nobody)))
        #expect(!ProcessTable.isRunning(0))
        #expect(!ProcessTable.isRunning(-1))
    }
}
