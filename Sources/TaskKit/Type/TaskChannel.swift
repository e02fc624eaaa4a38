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
}
