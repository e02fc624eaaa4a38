// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire

/// What a subscriber's message asks for.
enum SubscriptionChange: Equatable {
    /// To get the events whose topics begin with a prefix.
    case begin(String)
    /// No longer to get them.
    case end(String)
    /// A prefix with which no event begins.
    case unknown
    /// The end of a subscription that was never applied.
    case nothing
    /// No subscription at all.
    case violation

    /// Only what an event's topic begins with exists: whatever else a subscriber names can never
    /// get it an event, and would be kept for nothing.
    init(_ frames: [[UInt8]]) {
        guard frames.count == 1, let frame = frames.first, let kind = frame.first, kind <= 1 else {
            self = .violation
            return
        }
        let bytes = frame.dropFirst()
        guard BusEventTopic.allCases.contains(where: { $0.rawValue.utf8.starts(with: bytes) })
        else {
            self = kind == 1 ? .unknown : .nothing
            return
        }
        let prefix = String(decoding: bytes, as: UTF8.self)
        self = kind == 1 ? .begin(prefix) : .end(prefix)
    }
}

/// How much of what each subscriber's connection has sent.
struct SubscriptionCounts {
    /// What is to be done about a message.
    enum Verdict: Equatable {
        case accept
        case refuse
        /// It has sent too many, and is to be closed.
        case close
        /// It was closed.
        case ignore
    }

    private struct Counts {
        var refused = 0
        var changes = 0
        var isClosed = false
    }

    private var counts: [Peer: Counts] = [:]
    let limits: BusServer.Limits

    init(limits: BusServer.Limits) { self.limits = limits }

    var count: Int { counts.count }

    /// Counts a message and judges its connection.
    mutating func judge(_ change: SubscriptionChange, by peer: Peer) -> Verdict {
        var count = counts[peer] ?? Counts()
        defer { counts[peer] = count }
        guard !count.isClosed else { return .ignore }
        count.changes += 1
        if change == .unknown { count.refused += 1 }
        guard change != .violation, count.refused <= limits.refusedSubscriptions,
            count.changes <= limits.subscriptionChanges
        else {
            count.isClosed = true
            return .close
        }
        return change == .unknown ? .refuse : .accept
    }

    /// Nothing waits any more: a burst is over, and what the connections that are gone had sent is
    /// read.
    mutating func settle(isThere: (Peer) -> Bool) {
        counts = counts.filter { isThere($0.key) && ($0.value.isClosed || $0.value.refused > 0) }
            .mapValues { count in
                var kept = count
                kept.changes = 0
                return kept
            }
    }
}
