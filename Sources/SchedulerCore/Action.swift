// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// What is to be done in answer to an event, in order.
package enum Action: Sendable {
    /// Write all of it or nothing, and answer with `committed`.
    case write(token: UInt64, [StoreChange])
    /// Send an order to a worker; one that finds no room comes back as `unsent`.
    case send(WorkerID, Order)
    /// Tell the subscribers.
    case publish(Published)
    /// Tell a client; the request is over.
    case reply(RequestID, Reply)
    /// Have the supervisor launch a worker.
    case launchWorker(WorkerID)
    /// Have the supervisor kill a worker.
    case killWorker(WorkerID)
    /// Ask the supervisor to stop the system.
    case stopSystem
    /// A line for the log.
    case log(Note)
    /// An on-time start came so long after it was allowed.
    case measured(latency: Duration)
    /// The scheduler is to end with this exit status.
    case end(Int32)
}

/// A line of the log: a constant message, and what is known as data.
package struct Note: Sendable, Equatable {
    /// How severe it is.
    package enum Level: Sendable { case info, notice, warning, error }

    /// How severe it is.
    package var level: Level
    /// What happened.
    package var message: String
    /// To what, and why.
    package var facts: [String: String]

    package init(_ level: Level, _ message: String, _ facts: [String: String] = [:]) {
        self.level = level
        self.message = message
        self.facts = facts
    }
}

/// What subscribers hear.
package enum Published: Sendable, Equatable {
    /// Which attempt of which execution an event is about.
    package struct Subject: Sendable, Equatable {
        /// The task.
        package var task: TaskID
        /// The execution.
        package var execution: String
        /// The attempt's number; 0 before the first.
        package var attempt: Int
    }

    case started(Subject, trigger: ExecutionTrigger, plannedAt: Instant, at: Instant)
    case progress(Subject, fraction: Double?, message: String)
    case log(Subject, stream: LogStream, at: Instant, line: String)
    case finished(
        Subject, Outcome, duration: Duration, message: String?, result: JSONValue?)
    case retry(Subject, Outcome, message: String?, at: Instant)
    case deadLetter(Subject, reason: String)
    case deferred(Subject, plannedAt: Instant, Reply.Waits)
    case skipped(Subject, plannedAt: Instant, reason: String)
    case health(HealthStatus, was: HealthStatus)
    case worker(WorkerID, state: String, processID: UInt64?, detail: String?)
}
