// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Standbys that ended before they were needed, and whether another is worth its making.
struct StandbyLosses: Equatable {
    /// So many in a row, without an attempt that held between them, are the last.
    static let most = 3

    private var count = 0

    /// Whether none is made until an attempt holds.
    var areTooMany: Bool { count >= Self.most }

    /// A standby ended, or could not be made.
    mutating func lost() { count = min(count + 1, Self.most) }

    /// An attempt passed every layer, in a standby or in a process of its own: what took the standbys,
    /// as a hungry neighbour or a kill from outside, does not take all. For each attempt that holds
    /// no more than `most` are lost.
    mutating func attemptHeld() { count = 0 }
}
