// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SystemPackage
import Testing

@testable import AicoSupervisor

/// Every log line with its exact words.
@Suite struct SupervisorNoteTests {
    static let wordings: [(note: SupervisorNote, text: String)] = [
        (
            .schedulerEnded(status: 0x4600, relaunchIn: .milliseconds(100)),
            "scheduler ended with exit code 70; workers are killed, it starts again in 0.1 seconds"
        ),
        (
            .schedulerEnded(status: 9, relaunchIn: .seconds(30)),
            "scheduler was ended by signal 9; workers are killed, it starts again in 30.0 seconds"
        ),
        (
            .schedulerNotLaunched(errno: 12, relaunchIn: .milliseconds(12_800)),
            "cannot launch scheduler: errno 12; trying again in 12.8 seconds"
        ),
        (
            .schedulerViolated(.closed),
            "scheduler closed its channel; what is left of it is killed"
        ),
        (
            .schedulerViolated(.undecodable),
            "scheduler broke the channel's rules: a message that is none; it is killed"
        ),
        (
            .schedulerViolated(.unread),
            "scheduler broke the channel's rules: messages are not read; it is killed"
        ),
        (
            .schedulerViolated(.wrongDirection),
            "scheduler broke the channel's rules: a message of the other direction; it is killed"
        ),
        (
            .schedulerViolated(.outOfTurn),
            "scheduler broke the channel's rules: a launch of a worker that runs; it is killed"
        ),
        (
            .schedulerViolated(.unasked),
            "scheduler broke the channel's rules: an answer to nothing; it is killed"
        ),
        (
            .schedulerSilent(.seconds(20)),
            "scheduler did not answer for 20.0 seconds; it is killed and starts again"
        ),
        (
            .workerLaunched(.agency, processID: 4711),
            "worker agency runs as process 4711"
        ),
        (
            // 0x80: the kernel's mark of a core dump.
            .workerEnded(.user, status: 0x80 | 11, relaunchIn: .milliseconds(400)),
            "worker user was ended by signal 11; it starts again in 0.4 seconds"
        ),
        (
            .workerEnded(.maintenance, status: 0, relaunchIn: nil),
            "worker maintenance ended with exit code 0"
        ),
        (
            .workerNotLaunched(.security, errno: 28, relaunchIn: .milliseconds(25_600)),
            "cannot launch worker security: errno 28; trying again in 25.6 seconds"
        ),
        (.workerKillAsked(.user), "scheduler asks to kill worker user"),
        (.stopping, "stopping"),
        (.graceOver, "scheduler did not stop in time; it is killed"),
    ]

    @Test(arguments: wordings) func says(note: SupervisorNote, text: String) {
        #expect("\(note)" == text)
    }

    @Test func noTwoSayTheSame() {
        #expect(Set(Self.wordings.map { "\($0.note)" }).count == Self.wordings.count)
    }

    @Test func errorsSayWhatWasTriedOnWhatAndWhy() {
        let failed = SupervisorError(
            operation: "open", subject: "/x", reason: .errno(.noSuchFileOrDirectory))
        #expect("\(failed)" == "cannot open '/x': No such file or directory")
        let untrusted = SupervisorError(
            operation: "use", subject: "/x", reason: .untrusted("it belongs to uid 5"))
        #expect("\(untrusted)" == "cannot use '/x': it belongs to uid 5")
        let invalid = SupervisorError(
            operation: "use", subject: "plan of user", reason: .invalid("it has group 0"))
        #expect("\(invalid)" == "cannot use 'plan of user': it has group 0")
    }
}
