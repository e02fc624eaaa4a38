// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoSupervisor

/// What holds on every way through the machine, whatever comes in whatever order.
@Suite struct MachineWalkTests {
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        /// SplitMix64.
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
    }

    /// All events, those that end a walk left to the end of the list.
    static let events: [SupervisorEvent] =
        WorkerID.shipped.flatMap { workerID -> [SupervisorEvent] in
            [
                .message(.to(.launch, workerID)), .message(.to(.kill, workerID)),
                .workerLaunched(workerID, processID: 5),
                .workerLaunchFailed(workerID, errno: 12),
                .workerExited(workerID, status: 9, ranFor: .seconds(90)),
                .timer(.relaunchWorker(workerID)),
            ]
        }
        + [
            .message(.to(.status, .user)), .schedulerExited(status: 9, ranFor: .zero),
            .schedulerExited(status: 78 << 8, ranFor: .zero),
            .schedulerLaunchFailed(errno: 11), .timer(.relaunchScheduler),
            .timer(.relaunchScheduler), .violation(.undecodable), .timer(.stopGrace),
            .timer(.heartbeat), .timer(.heartbeat), .overslept,
            .message(.to(.pong, .maintenance, argument: 1)),
        ]
    static let stops: [SupervisorEvent] = [.stopSignal, .message(.to(.stop, .user))]

    @Test func noWayLeadsAstray() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed of the walks: \(seed)")
        var generator = Generator(state: seed)
        var reached: Set<SupervisorTimer> = []
        for _ in 0..<300 {
            var machine = SupervisorMachine()
            var finishes = 0
            for _ in 0..<80 {
                let isStop = Int.random(in: 0..<60, using: &generator) == 0
                let list = isStop ? Self.stops : Self.events
                guard let event = list.randomElement(using: &generator) else { continue }
                let before = machine.scheduler
                let actions = machine.handle(event)
                for action in actions {
                    let isRight = isPermitted(action, before: before, after: machine.scheduler)
                    #expect(isRight, "\(action) after \(event) in \(before); seed \(seed)")
                    if case .startTimer(let timer, _) = action { reached.insert(timer) }
                    if [.finish, .refuseStart].contains(action) { finishes += 1 }
                }
            }
            #expect(finishes == (machine.scheduler == .finished ? 1 : 0), "seed \(seed)")
        }
        #expect(reached.count == 3 + WorkerID.shipped.count, "the walks came everywhere")
    }

    /// In which states of the scheduler an action may be asked for.
    private func isPermitted(
        _ action: SupervisorAction, before: SchedulerState, after: SchedulerState
    ) -> Bool {
        switch action {
        case .launchScheduler: before == .backingOff && after == .running
        case .launchWorker: before == .running && after == .running
        // A message to a scheduler that is gone would break the channel of the next.
        case .send: [.running, .stopping].contains(before) && after != .finished
        case .killScheduler: [.running, .stopping].contains(before)
        case .finish, .refuseStart: before != .finished && after == .finished
        case .startTimer(.stopGrace, _): after == .stopping
        case .startTimer(.heartbeat, _): after == .running
        case .startTimer(.relaunchScheduler, _): after == .backingOff
        case .startTimer(.relaunchWorker, let delay): delay <= .seconds(30)
        case .killWorker, .stopTimer, .log: before != .finished
        }
    }
}
