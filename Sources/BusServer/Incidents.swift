// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension BusServer {
    /// Something that a client did and should not have done, with how often.
    package struct Incident: Sendable, Equatable {
        /// The client's name, or `unknown`.
        package var actor: String
        /// As `bus.flood`.
        package var action: String
        /// How often since it was taken last.
        package var count: Int
        /// What was counted.
        package var detail: String
    }
}

/// Counts incidents by who and what, so that a flood makes a row now and then, not one for each
/// message.
///
/// The first of a kind is told at once, those after it once in `pause`, all with their number: few
/// enough rows that nobody who reads them has to drop any.
struct Incidents {
    /// Between two rows of one kind.
    static let pause = Duration.seconds(20)

    private struct Kind: Hashable {
        let actor: String
        let action: String
        let detail: String
    }

    private struct Tally {
        var count = 0
        var told: Duration?
    }

    private var tallies: [Kind: Tally] = [:]

    /// Counts one; actors are names of admitted clients, so there are few.
    mutating func count(_ actor: String, _ action: String, _ detail: String) {
        tallies[Kind(actor: actor, action: action, detail: detail), default: Tally()].count += 1
    }

    /// Gives and forgets the counts that are to be told now.
    mutating func take(at now: Duration) -> [BusServer.Incident] {
        guard !tallies.isEmpty else { return [] }
        var told: [BusServer.Incident] = []
        for (kind, tally) in tallies {
            if let before = tally.told, now - before < Self.pause { continue }
            guard tally.count > 0 else {
                tallies[kind] = nil
                continue
            }
            tallies[kind] = Tally(count: 0, told: now)
            told.append(
                BusServer.Incident(
                    actor: kind.actor, action: kind.action, count: tally.count,
                    detail: kind.detail))
        }
        return told.sorted { ($0.actor, $0.action, $0.detail) < ($1.actor, $1.action, $1.detail) }
    }
}
