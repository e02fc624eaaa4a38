// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Where an execution stands.
///
/// `next(after:)` is the whole life cycle: every state with every transition. A cell that is nil
/// cannot come about by a right sequence of events; it is ignored and changes nothing.
package enum ExecutionState: String, Sendable, CaseIterable {
    /// It waits for a place, for its task's other executions, a worker or the machine.
    case queued
    /// Somebody took it back; that is being written.
    case withdrawing
    /// Its claim, or its next attempt, is being written.
    case claiming
    /// An attempt of it is written as running.
    case running
    /// An attempt failed; the next waits for its time.
    case waiting
    /// Somebody ended it while it waited; that is being written.
    case ending
    /// It is over, or never came to be; no such execution is kept.
    case over

    /// What can happen to an execution.
    package enum Transition: String, Sendable, CaseIterable {
        /// Admission lets it start.
        case admit
        /// It does not run after all: skipped, superseded, its task disabled or deleted.
        case skip
        /// Somebody asks for its end before it runs.
        case withdraw
        /// Somebody asks for its end between two attempts.
        case withdrawRetry
        /// That is written.
        case withdrawn
        /// That could not be written.
        case keep
        /// Its claim is written.
        case claimed
        /// Its claim did not apply, or what became of its attempt can never be written: no later
        /// change of it would find what it builds upon.
        case lost
        /// Another had its instant: it waits for the next one.
        case taken
        /// Its order cannot leave: its claim is taken back.
        case handBack
        /// Its attempt ended, and a further one follows.
        case retry
        /// Its attempt ended, and none follows.
        case finish
        /// The time of its next attempt has come.
        case due
    }

    /// Gives the state after a transition; nil where the two do not go together.
    package func next(after transition: Transition) -> ExecutionState? {
        switch (self, transition) {
        case (.queued, .admit): .claiming
        case (.queued, .skip): .over
        case (.queued, .withdraw): .withdrawing
        case (.queued, .withdrawRetry): .ending
        case (.withdrawing, .withdrawn): .over
        case (.withdrawing, .keep): .queued
        case (.claiming, .claimed): .running
        case (.claiming, .lost), (.waiting, .lost), (.queued, .lost), (.ending, .lost): .over
        case (.claiming, .taken): .queued
        case (.running, .handBack): .queued
        case (.running, .retry): .waiting
        case (.running, .finish): .over
        case (.waiting, .due): .queued
        case (.waiting, .withdrawRetry): .ending
        case (.ending, .withdrawn): .over
        case (.ending, .keep): .waiting
        case (.queued, _), (.withdrawing, _), (.claiming, _), (.running, _), (.waiting, _),
            (.ending, _), (.over, _):
            nil
        }
    }
}
