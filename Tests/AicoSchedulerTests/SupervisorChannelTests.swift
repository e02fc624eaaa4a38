// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

/// What a scheduler makes of its supervisor's messages.
@Suite(.serialized)
struct SupervisorChannelTests {
    @Test func eachPingIsAnsweredWithItsNumber() throws {
        let run = try SchedulerRun(try InstanceRoot())
        for number: Int32 in [1, 2, 77, .max] {
            run.send(.ping, argument: number)
            #expect(
                try run.receive()
                    == SupervisorMessage(kind: .pong, argument: number))
        }
    }

    /// What a service manager is told of depends on it.
    @Test func theSupervisorIsToldWhichWorkerTakesOrders() throws {
        let run = try SchedulerRun(try InstanceRoot())
        let number = UInt8(WorkerID.agency.number)
        _ = try run.worker(.agency)
        var told: [SupervisorMessage] = []
        while told.last?.argument != 1 { told.append(try run.receiveAny()) }
        #expect(told.allSatisfy { $0.kind == .ready })
        #expect(told.filter { $0.argument == 1 }.map(\.worker) == [number], "no other one does")
        run.send(.exited, .agency, argument: 9)
        let left = try run.receiveAny()
        #expect(left.kind == .ready)
        #expect(left.worker == number)
        #expect(left.argument == 0)
    }

    @Test func aWorkersLastWordsAreOneLineOfHealth() throws {
        let run = try SchedulerRun(try InstanceRoot())
        run.send(
            .exited, .agency, argument: 127 << 8,
            words: Array("loading:\n\u{1B}[1m no library\n".utf8))
        run.send(.ping, argument: 1)
        #expect(try run.receive().kind == .pong, "the exit was taken")
        let text = try run.request(.health)
        let workers = text["workers"]?.array ?? []
        let message = workers.first { $0["class"]?.string == "agency" }?["message"]?.string
        #expect(message?.hasSuffix(": loading: [1m no library") == true, "\(text.text())")
    }

    @Test(.timeLimit(.minutes(1))) func aMessageThatIsItsOwnEndsIt() throws {
        for kind: SupervisorMessage.Kind in [.pong, .launch] {
            let run = try SchedulerRun(try InstanceRoot())
            run.send(kind, argument: 1)
            #expect(throws: Never.self) { try run.wait() }
        }
    }
}
