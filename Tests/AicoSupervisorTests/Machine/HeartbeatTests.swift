// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoSupervisor

/// The signs of life of a scheduler, on a clock that the test moves.
@Suite struct HeartbeatTests {
    /// A machine with its timers on virtual time.
    struct Clockwork {
        var machine = SupervisorMachine()
        var timers = SupervisorTimers()
        var now = Duration.zero
        /// Pings that were sent, and when.
        var pings: [(number: Int32, at: Duration)] = []
        var notes: [SupervisorNote] = []
        /// Whether the scheduler answers at once.
        var answers = true

        init() { perform(SupervisorMachine.start) }

        mutating func handle(_ event: SupervisorEvent) { perform(machine.handle(event)) }

        private mutating func perform(_ actions: [SupervisorAction]) {
            for action in actions {
                switch action {
                case .startTimer(let timer, let delay): timers.start(timer, at: now + delay)
                case .stopTimer(let timer): timers.stop(timer)
                case .log(let note): notes.append(note)
                case .send(let message) where message.kind == .ping:
                    pings.append((message.argument, now))
                    if answers { answer(message.argument) }
                case .killScheduler: handle(.schedulerExited(status: 9, ranFor: .seconds(1)))
                default: break
                }
            }
        }

        mutating func answer(_ number: Int32) {
            handle(.message(.to(.pong, .maintenance, argument: number)))
        }

        /// Lets time pass with a loop that is always in time.
        mutating func run(for time: Duration) {
            let end = now + time
            while let next = timers.nearest, next <= end {
                now = next
                wake()
            }
            now = end
        }

        /// What the loop does when it comes back.
        mutating func wake() {
            for event in timers.take(at: now) { handle(event) }
        }

        var silence: [Duration] {
            notes.compactMap { if case .schedulerSilent(let time) = $0 { time } else { nil } }
        }
    }

    @Test func asksEachFiveSecondsWhileItRuns() {
        var clock = Clockwork()
        clock.run(for: .seconds(3600))
        #expect(clock.pings.map(\.at) == (1...720).map { .seconds(5 * $0) })
        #expect(clock.pings.map(\.number) == Array(1...720))
        #expect(clock.notes == [])
        clock.handle(.stopSignal)
        clock.run(for: .seconds(9))
        #expect(clock.pings.count == 720, "a scheduler that finishes is not asked")
    }

    @Test func aSilenceOfTwentySecondsEndsItAndItComesBack() {
        var clock = Clockwork()
        clock.run(for: .seconds(60))
        clock.answers = false
        clock.run(for: .seconds(24))
        #expect(clock.notes == [] && clock.machine.scheduler == .running, "19 s after a question")
        clock.run(for: .seconds(1))
        #expect(clock.silence == [.seconds(20)])
        #expect(clock.machine.scheduler == .backingOff)
        clock.answers = true
        clock.run(for: .seconds(600))
        #expect(clock.machine.scheduler == .running)
        #expect(clock.silence.count == 1, "the next one is asked anew")
    }

    @Test func aLateAnswerCountsForItsOwnQuestion() {
        var clock = Clockwork()
        clock.run(for: .seconds(5))
        clock.answers = false
        // Three questions late, for ever: slow, and alive.
        for _ in 0..<20 {
            clock.run(for: .seconds(5))
            if clock.pings.count > 4 { clock.answer(clock.pings[clock.pings.count - 4].number) }
        }
        #expect(clock.notes == [])
    }

    @Test func aStartMayTakeItsTime() {
        var clock = Clockwork()
        clock.answers = false
        clock.run(for: .seconds(300))
        #expect(clock.notes == [])
        clock.run(for: .seconds(5))
        #expect(clock.silence == [.seconds(300)], "but not for ever")
    }

    @Test func oneThatAsksForAWorkerHasStarted() {
        var clock = Clockwork()
        clock.answers = false
        clock.handle(.message(.to(.launch, .user)))
        clock.run(for: .seconds(25))
        #expect(clock.silence == [.seconds(20)])
        clock.run(for: .seconds(299))
        #expect(clock.silence.count == 1, "the next one has not started yet")
    }

    @Test func anAnswerIsTakenOnceAndOnlyToAQuestion() {
        for number: Int32 in [0, -1, 1, 3, .max, .min] {
            var clock = Clockwork()
            clock.run(for: .seconds(10))
            clock.answer(number)
            #expect(clock.notes.first == .schedulerViolated(.unasked), "\(number)")
        }
    }

    /// Stopped for a while, the supervisor knows nothing of the scheduler: they may have been
    /// stopped together.
    @Test(arguments: [Duration.seconds(3), .seconds(30), .seconds(86_400)])
    func afterALateWakeUpTheWaitBeginsAnew(late: Duration) {
        var clock = Clockwork()
        clock.run(for: .seconds(60))
        clock.answers = false
        clock.run(for: .seconds(19))
        clock.now += .seconds(1) + late
        clock.wake()
        clock.run(for: .seconds(15))
        #expect(clock.notes == [])
        clock.run(for: .seconds(5))
        #expect(clock.silence == [.seconds(20)])
    }

    @Test func aLittleLateIsNotLate() {
        var clock = Clockwork()
        clock.run(for: .seconds(60))
        clock.answers = false
        for _ in 0..<5 {
            clock.now += .seconds(7)
            clock.wake()
        }
        #expect(clock.silence == [.seconds(20)])
    }

    @Test func timersComeInTheirOrderAndLatenessBeforeThem() {
        var timers = SupervisorTimers()
        timers.start(.heartbeat, at: .seconds(3))
        timers.start(.stopGrace, at: .seconds(1))
        timers.start(.relaunchScheduler, at: .seconds(9))
        #expect(timers.nearest == .seconds(1))
        #expect(timers.take(at: .milliseconds(999)) == [])
        #expect(timers.take(at: .seconds(3)) == [.timer(.stopGrace), .timer(.heartbeat)])
        timers.start(.heartbeat, at: .seconds(4))
        #expect(
            timers.take(at: .milliseconds(11_001)) == [
                .overslept, .timer(.heartbeat), .timer(.relaunchScheduler),
            ])
        #expect(timers.nearest == nil)
    }
}
