// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import TaskKit

/// Keeps a row of short transactions from taking the database for itself.
///
/// SQLite's lock has no queue: who begins at once after the commit nearly always wins against the
/// scheduler, which waits in sleeps. So there is a pause as long as the transaction took.
struct TransactionThrottle {
    /// The shortest pause.
    private let minimum: Duration = .milliseconds(2)
    /// The longest pause.
    private let maximum: Duration = .milliseconds(200)
    private let context: TaskContext

    init(_ context: TaskContext) { self.context = context }

    /// Runs one transaction, waits, and throws where the attempt is to end.
    func step<Value>(_ body: () throws -> Value) throws -> Value {
        try context.checkCancellation()
        let started = ContinuousClock.now
        let value = try body()
        let pause = min(max(ContinuousClock.now - started, minimum), maximum)
        usleep(UInt32(pause / .microseconds(1)))
        return value
    }
}
