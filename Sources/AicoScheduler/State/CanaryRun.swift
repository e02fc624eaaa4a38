// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// The run of a class's canary in a worker that is to be proven; in no store.
struct CanaryRun {
    /// What a report of it says.
    enum Word {
        /// That it lives.
        case life
        /// A line of its log.
        case line(String)
        /// The last one.
        case end(AttemptExit)
    }

    /// How long it may take, its worker's own limit a little less.
    static let patience = Duration.seconds(10)
    private static let timeout = Duration.seconds(9)

    let order: AttemptOrder
    /// The uptime at which it was ordered; the wall clock may be set meanwhile.
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
    init(_ taskClass: TaskClass, number: UInt64, at now: Instant, uptime: Duration) {
        orderedAt = uptime
        order = AttemptOrder(
            attempt: AttemptKey(.max - number), executionID: "00000000-0000-4000-8000-000000000000",
            taskID: taskClass.canaryType, taskType: taskClass.canaryType, attemptNumber: 1,
            occurrence: now, timeout: Self.timeout, grace: .zero, config: Array("{}".utf8))
    }

    /// Takes the next report; gives the verdict with the last.
    mutating func take(_ word: Word) -> CanaryRules.Verdict? {
        sequence += 1
        switch word {
        case .life: return nil
        case .line(let line):
            if lines.count < 2 { lines.append(line) }
            return nil
        case .end(let ending): return CanaryRules.judge(lines: lines, end: ending.ofCanary)
        }
    }

    /// The verdict on one that did not end in its time.
    var lateVerdict: CanaryRules.Verdict { CanaryRules.judge(lines: lines, end: .missing) }
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
