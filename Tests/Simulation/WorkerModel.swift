// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// A class's worker as far as the scheduler can tell: what it runs, and what it says of it.
struct WorkerModel: Sendable {
    struct Attempt: Sendable {
        let order: AttemptOrder
        var sequence: UInt32 = 0
        var isDeaf = false
        var isCancelled = false
        let startedAt: Int64
    }

    enum Life: Sendable { case absent, launching, alive }

    var life = Life.absent
    /// Counts launches: what is left behind of an earlier one is told by it.
    var generation = 0
    var attempts: [UInt64: Attempt] = [:]
    /// Until when it does not run.
    var frozenUntil: Int64 = 0
    /// When it was frozen, deaf or hostile last: it may be killed for that.
    var blameUntil: Int64 = 0
    var isCanaryOpen = false
    var isNextDeaf = false
    var backOff: Int64 = 200_000
    /// Whether its orders pipe has room.
    var fullUntil: Int64 = 0
    /// Whether an order found no room: the next that would have some is told.
    var owesWritable = false
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }
}

extension AttemptExit {
    /// An end by itself.
    static func code(_ code: Int32, reply: TaskReply = .none) -> AttemptExit {
        AttemptExit(reply: reply, exit: .exited(code: code), cause: nil, usage: .none)
    }

    /// An end from outside.
    static func caused(_ cause: EndCause) -> AttemptExit {
        AttemptExit(reply: .none, exit: .signaled(signal: 9), cause: cause, usage: .none)
    }
}
