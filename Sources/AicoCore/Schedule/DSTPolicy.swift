// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What a fixed-time schedule does where clocks change; wildcard jobs and intervals ignore it.
///
/// A job is wildcard if its minute or hour begins with `*`: it follows elapsed time.
package struct DSTPolicy: Sendable, Hashable {
    /// For times in the hour that clocks skip.
    package enum Gap: String, Sendable, CaseIterable {
        /// Once, at the end of the gap, however many times fell into it.
        case runAfter = "run_after"
        /// Each of them, later by the length of the gap.
        case shift
        /// None of them.
        case skip
    }

    /// For times in the hour that clocks repeat.
    package enum Overlap: String, Sendable, CaseIterable {
        case first
        case second
        case both
    }

    /// For times in the hour that clocks skip.
    package var gap: Gap
    /// For times in the hour that clocks repeat.
    package var overlap: Overlap

    /// Makes a policy; the default is Debian cron's behaviour.
    package init(gap: Gap = .runAfter, overlap: Overlap = .first) {
        self.gap = gap
        self.overlap = overlap
    }
}
