// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// The run of a class's canary in a worker that is to be probed; in no store.
struct CanaryRun: Sendable {
    /// What a report of it says.
    enum Word: Sendable {
        /// That it lives.
        case life
        /// A line of its log.
        case line(String)
        /// The last one.
        case end(AttemptExit)
    }

    let order: AttemptOrder
    /// When it was ordered, by the boot clock.
    let orderedAt: Duration
    /// Whether the order has left.
    var isSent = false
    /// The next report's number.
    var sequence: UInt32 = 0
    /// What it logged: of more than two lines none can be its report alone.
    private(set) var lines: [String] = []

    /// Makes the order of the `number`th canary since the scheduler's start.
    ///
    /// The keys count down from the largest number, the store's count up from 1.
    init(_ taskClass: TaskClass, number: UInt64, at now: Time, patience: Duration) {
        orderedAt = now.boot
        order = AttemptOrder(
            attempt: AttemptKey(.max - number), executionID: "00000000-0000-4000-8000-000000000000",
            taskID: taskClass.canaryType, taskType: taskClass.canaryType, attemptNumber: 1,
            occurrence: now.wall, timeout: max(.seconds(1), patience - .seconds(1)), grace: .zero,
            config: Array("{}".utf8))
    }

    /// Takes the next report; gives the verdict with the last.
    mutating func receive(_ word: Word) -> CanaryRules.Finding? {
        sequence += 1
        switch word {
        case .life: return nil
        case .line(let line):
            if lines.count < 2 { lines.append(line) }
            return nil
        case .end(let exit): return CanaryRules.judge(lines: lines, end: exit.ofCanary)
        }
    }

    /// The verdict on one that did not end in its time.
    var lateVerdict: CanaryRules.Finding { CanaryRules.judge(lines: lines, end: .missing) }
}

extension AttemptExit {
    /// How a canary ended.
    fileprivate var ofCanary: CanaryRules.End {
        if case .deniedSyscall(let name, _, _) = cause, case .signaled = exit, reply == .none {
            return .denied(name)
        }
        return .otherwise(message ?? "it succeeded")
    }
}
