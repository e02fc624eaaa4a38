// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A directory of an instance: one row of the table from which the supervisor's layout, what a
/// profile may name, root's ceiling of plans and docs/privilege-separation.md are derived.
package struct InstanceDirectory: Sendable, Hashable {
    /// Whose it is; an instance has the numbers.
    package enum Holder: Sendable, Hashable {
        case root
        case scheduler
        case taskClass(TaskClass)
    }

    /// By which a profile names it, and its tasks find it below /aico.
    package let name: String
    /// Below the instance's root.
    package let path: String
    /// Its owner.
    package let owner: Holder
    /// Its group.
    package let group: Holder
    /// Permission bits, as of chmod(2).
    package let mode: UInt32
    /// The classes whose tasks may read it, those that may write among them.
    package let readers: Set<TaskClass>
    /// The classes whose tasks may write to it.
    package let writers: Set<TaskClass>

    init(
        _ name: String, _ path: String, _ owner: Holder = .root, _ group: Holder = .root,
        _ mode: UInt32 = 0o755, readers: Set<TaskClass> = [], writers: Set<TaskClass> = []
    ) {
        self.name = name
        self.path = path
        self.owner = owner
        self.group = group
        self.mode = mode
        self.readers = readers.union(writers)
        self.writers = writers
    }

    /// Where tasks see it.
    package var classPath: String { "/aico/\(name)" }

    /// Where it lies in an instance, whose root is "" for the installed one.
    package func path(under root: String) -> String { "\(root)/\(path)" }
}

extension InstanceDirectory.Holder {
    static let maintenance = Self.taskClass(.maintenance)
    static let security = Self.taskClass(.security)
    static let agency = Self.taskClass(.agency)
    static let user = Self.taskClass(.user)
}
