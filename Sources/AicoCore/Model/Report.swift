// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What a worker tells the scheduler, one per frame on the class's `reports` pipe.
///
/// `sequence` counts a single attempt's reports from 0 without gaps; the scheduler drops and
/// records any other order.
package enum Report: Sendable, Hashable {
    /// The worker is ready; sent once after its start, before any other report. `wallLimit` is the
    /// longest that its profile lets an attempt take, nil where it sets no limit.
    case hello(
        processID: UInt32, capacity: UInt32, wallLimit: Duration?, layers: LayerReport)
    /// The answer to `Order.ping`.
    case pong(nonce: UInt64)
    /// The task process passed its last layer and runs the type's code. `layers` held for it.
    case started(attempt: AttemptKey, sequence: UInt32, layers: LayerReport, at: Instant)
    /// How far the task says it is: 0 to 1, or nil where it cannot know.
    case progress(attempt: AttemptKey, sequence: UInt32, fraction: Double?, message: String)
    /// One line of output.
    case log(attempt: AttemptKey, sequence: UInt32, stream: LogStream, at: Instant, line: String)
    /// The attempt's process tree is gone. The last report of an attempt.
    case finished(attempt: AttemptKey, sequence: UInt32, exit: AttemptExit)
}

/// Where a line of output came from.
public enum LogStream: UInt8, Sendable, CaseIterable {
    case debug = 0
    case info = 1
    case warning = 2
    case error = 3
    case standardOutput = 4
    case standardError = 5

    /// The name used in JSON and on the command line.
    public var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        case .standardOutput: "stdout"
        case .standardError: "stderr"
        }
    }
}

/// Which confinement layers held, and the first that did not.
package struct LayerReport: Sendable, Hashable {
    /// Names of layers in the order applied, as `seccomp`.
    package var held: [String]
    /// Layers marked optional in the profile that the kernel refused: name and errno.
    package var missing: [LayerFailure]

    package init(held: [String], missing: [LayerFailure]) {
        self.held = held
        self.missing = missing
    }
}

/// A confinement layer that the kernel refused.
package struct LayerFailure: Sendable, Hashable {
    /// The layer's name, as `landlock`.
    package var layer: String
    /// The errno of the refusing call.
    package var errno: Int32
    /// The call or path at which it was refused; may be empty.
    package var detail: String

    /// Whether it is of what an attempt is shown of the host.
    package var isOfMounts: Bool { layer == "mounts" }

    package init(layer: String, errno: Int32, detail: String) {
        self.layer = layer
        self.errno = errno
        self.detail = detail
    }
}
