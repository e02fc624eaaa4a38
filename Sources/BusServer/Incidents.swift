// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension BusServer {
    /// Something that a client did and should not have done, with how often.
    public struct Incident: Sendable, Equatable {
        /// The client's name, or `unknown`.
        public var actor: String
        /// As `bus.flood`.
        public var action: String
        /// How often since it was taken last.
        public var count: Int
        /// What was counted.
        public var detail: String
    }
}

/// Counts incidents by who and what, so that a flood makes one row and not one for each message.
struct Incidents {
    private struct Kind: Hashable {
        let actor: String
        let action: String
    }

    private var counts: [Kind: (count: Int, detail: String)] = [:]

    /// Counts one; actors are names of admitted clients, so there are few.
    mutating func count(_ actor: String, _ action: String, _ detail: String) {
        counts[Kind(actor: actor, action: action), default: (0, detail)].count += 1
    }

    /// Gives and forgets what was counted.
    mutating func take() -> [BusServer.Incident] {
        guard !counts.isEmpty else { return [] }
        defer { counts.removeAll() }
        return counts.map { kind, value in
            BusServer.Incident(
                actor: kind.actor, action: kind.action, count: value.count, detail: value.detail)
        }.sorted { ($0.actor, $0.action) < ($1.actor, $1.action) }
    }
}
