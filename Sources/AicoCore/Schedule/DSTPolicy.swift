// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What a fixed-time schedule does where clocks change; wildcard jobs and intervals ignore it.
///
/// A job is wildcard if its minute or hour begins with `*`: it follows elapsed time.
public struct DSTPolicy: Sendable, Hashable {
    /// For times in the hour that clocks skip.
    public enum Gap: String, Sendable, CaseIterable {
        /// Once, at the end of the gap, however many times fell into it.
        case runAfter = "run_after"
        /// Each of them, later by the length of the gap.
        case shift
        /// None of them.
        case skip
    }

    /// For times in the hour that clocks repeat.
    public enum Overlap: String, Sendable, CaseIterable {
        case first
        case second
        case both
    }

    /// For times in the hour that clocks skip.
    public var gap: Gap
    /// For times in the hour that clocks repeat.
    public var overlap: Overlap

    /// Makes a policy; the default is Debian cron's behaviour.
    public init(gap: Gap = .runAfter, overlap: Overlap = .first) {
        self.gap = gap
        self.overlap = overlap
    }
}
