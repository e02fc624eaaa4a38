// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Where a context's words go and its cancellation comes from: the worker, or a recorder.
protocol TaskChannel: Sendable {
    /// Passes a frame up; waits where there is no room.
    func send(_ frame: TaskFrame)
    /// Whether the attempt is to end.
    var isCancelled: Bool { get }
    /// Turns readable or hung up, and stays so, once the attempt is to end.
    var cancellationDescriptor: Int32 { get }
    /// What is written here becomes lines of the log, as standard output.
    var outputDescriptor: Int32 { get }
    /// What is written here becomes lines of the log, as standard error.
    var errorDescriptor: Int32 { get }
}
