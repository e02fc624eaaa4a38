// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Which task: its name, and the identity that tells it from an earlier or later one of that name.
///
/// A name is free again once its task is deleted; what belongs to a task (executions, planned
/// instants, dead letters) belongs to its identity.
package struct TaskKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The name.
    package let id: TaskID
    /// The identity, drawn when the task is made: a lower-case UUID.
    package let uid: String

    package init(id: TaskID, uid: String) {
        self.id = id
        self.uid = uid
    }

    /// The name alone; the identity is for programs.
    package var description: String { id.text }

    /// Orders keys by name, then identity.
    package static func < (left: TaskKey, right: TaskKey) -> Bool {
        left.id != right.id ? left.id < right.id : left.uid < right.uid
    }
}
