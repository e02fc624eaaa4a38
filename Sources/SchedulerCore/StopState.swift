// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Which part of its life the scheduler is in.
package enum StopState: Sendable, Hashable {
    case running
    /// Told to finish; waits for running attempts.
    case stopping
    /// Nothing runs any more; the last changes are being written.
    case draining
    /// Over, with this exit status.
    case ended(Int32)

    /// What can happen to it.
    package enum Transition: String, Sendable, CaseIterable {
        /// The system stops.
        case stop
        /// Nothing runs any more, or was written off.
        case idle
        /// The last changes are written, or cannot be.
        case written
        /// The supervisor is gone.
        case orphaned
    }

    /// Gives the state after a transition; nil where the two do not go together.
    package func next(after transition: Transition) -> StopState? {
        switch (self, transition) {
        case (.running, .stop): .stopping
        case (.stopping, .idle): .draining
        case (.draining, .written): .ended(0)
        case (.running, .orphaned), (.stopping, .orphaned), (.draining, .orphaned): .ended(1)
        case (.running, _), (.stopping, _), (.draining, _), (.ended, _): nil
        }
    }
}
