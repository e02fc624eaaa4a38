// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How much is kept of what only grows.
public struct StoreLimits: Sendable, Hashable {
    /// Entries of the audit log, the newest.
    public var auditEntries: Int
    /// Ended executions of each task, the newest, with their attempts and output.
    public var executionsPerTask: Int
    /// Planned instants of each task, the newest.
    public var occurrencesPerTask: Int

    /// Makes limits.
    public init(auditEntries: Int, executionsPerTask: Int, occurrencesPerTask: Int) {
        self.auditEntries = auditEntries
        self.executionsPerTask = executionsPerTask
        self.occurrencesPerTask = occurrencesPerTask
    }

    /// What a system keeps that says nothing else.
    public static let standard = StoreLimits(
        auditEntries: 100_000, executionsPerTask: 100_000, occurrencesPerTask: 100_000)
}
