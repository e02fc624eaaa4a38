// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How much is kept of what only grows.
package struct StoreLimits: Sendable, Hashable {
    /// Entries of the audit log, the newest.
    package var auditEntries: Int
    /// Ended executions of each task, the newest, with their attempts and output.
    package var executionsPerTask: Int
    /// Planned instants of each task, the newest.
    package var occurrencesPerTask: Int
    /// Dead letters that nobody has sent back or purged, the newest; their executions stay with them.
    package var openDeadLetters: Int

    /// Makes limits.
    package init(
        auditEntries: Int, executionsPerTask: Int, occurrencesPerTask: Int,
        openDeadLetters: Int = 10_000
    ) {
        self.auditEntries = auditEntries
        self.executionsPerTask = executionsPerTask
        self.occurrencesPerTask = occurrencesPerTask
        self.openDeadLetters = openDeadLetters
    }

    /// What a system keeps that says nothing else.
    package static let standard = StoreLimits(
        auditEntries: 100_000, executionsPerTask: 100_000, occurrencesPerTask: 100_000)
}
