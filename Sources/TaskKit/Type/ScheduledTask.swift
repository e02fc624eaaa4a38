// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A task type: code that runs as one confined process for each attempt.
///
/// A worker executable is a list of such types and one call of `WorkerMain.run(class:types:)`.
/// The type's code runs in its own process, so it may block, keep globals and leak; what it may
/// touch is decided by its class's profile.
public protocol ScheduledTask: Sendable {
    /// What a task of this type can be configured with; `NoConfig` where there is nothing.
    associatedtype Config: TaskConfig
    /// What a successful run returns; stored with the execution as JSON of at most 64 KiB.
    associatedtype Output: TaskResult

    /// The type's name, as `maintenance.log_cleanup`; its first part is the worker's class.
    static var id: String { get }
    /// One sentence for people who choose a type, without a period.
    static var summary: String { get }
    /// The capabilities that a run holds, at most those its class's profile grants.
    static var capabilities: [TaskCapability] { get }
    /// The wall-clock limit where a task names none.
    static var timeout: Duration { get }

    /// Makes the value that runs one attempt.
    init()

    /// Does the work.
    ///
    /// Throw `TaskFailure` to say whether a retry can help; every other error counts as
    /// transient. Runs on the process's main thread; child tasks do too.
    func run(_ config: Config, _ context: TaskContext) async throws -> Output
}

extension ScheduledTask {
    /// None.
    public static var capabilities: [TaskCapability] { [] }
    /// Five minutes.
    public static var timeout: Duration { .seconds(300) }
}
