// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// One worker of a system: a worker executable and the class that it serves.
///
/// Its name ends in the class, as `aico-worker-user` and `acme-worker-user`: which class it is, is
/// known without running it. The four that are shipped come first, in the order of the classes;
/// others are launched beside them, and share their class's user, profile and limits.
package struct WorkerID: Sendable, Hashable, CustomStringConvertible {
    /// The most that a system has, the four among them.
    package static let maximumCount = 16
    /// The longest name, in bytes.
    package static let maximumNameBytes = 64

    /// Its place in the system's list: on the supervisor's channel and in its pipes' paths.
    package let number: Int
    /// The file name of its executable.
    package let name: String
    /// The class that the end of the name says.
    package let taskClass: TaskClass

    private init(number: Int, name: String, taskClass: TaskClass) {
        self.number = number
        self.name = name
        self.taskClass = taskClass
    }

    private init(shipped taskClass: TaskClass) {
        self.init(
            number: Int(taskClass.rawValue), name: "aico-worker-\(taskClass.name)",
            taskClass: taskClass)
    }

    /// Hashes the number alone: a system's list has each but once.
    package func hash(into hasher: inout Hasher) { hasher.combine(number) }

    /// `aico-worker-maintenance`.
    package static let maintenance = WorkerID(shipped: .maintenance)
    /// `aico-worker-security`.
    package static let security = WorkerID(shipped: .security)
    /// `aico-worker-agency`.
    package static let agency = WorkerID(shipped: .agency)
    /// `aico-worker-user`.
    package static let user = WorkerID(shipped: .user)

    /// The four that every system has, by `TaskClass.rawValue`.
    package static let shipped: [WorkerID] = [.maintenance, .security, .agency, .user]

    /// The shipped worker of a class.
    package static func shipped(_ taskClass: TaskClass) -> WorkerID {
        shipped[Int(taskClass.rawValue)]
    }

    /// Whether it is one of the four.
    package var isShipped: Bool { number < Self.shipped.count }

    /// What people call it: the shipped one by its class, any other by its name.
    package var label: String { isShipped ? taskClass.name : name }

    /// The label.
    package var description: String { label }

    /// Lists a system's workers: the four, then those that have other names, in their order.
    package static func list(beside names: [String]) throws(WorkerIDError) -> [WorkerID] {
        var workers = shipped
        for name in names where !shipped.contains(where: { $0.name == name }) {
            let taskClass = try taskClass(of: name)
            guard !workers.contains(where: { $0.name == name }) else {
                throw WorkerIDError(name: name, reason: "is listed twice")
            }
            guard workers.count < maximumCount else {
                throw WorkerIDError(
                    name: name,
                    reason: "is one too many: \(maximumCount - shipped.count) can be launched "
                        + "beside the four")
            }
            workers.append(WorkerID(number: workers.count, name: name, taskClass: taskClass))
        }
        return workers
    }

    /// The class that a name says; refuses what could be a path.
    package static func taskClass(of name: String) throws(WorkerIDError) -> TaskClass {
        let isPlain = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
        }
        guard isPlain, name.utf8.first != 0x2D, name.utf8.count <= maximumNameBytes else {
            throw WorkerIDError(
                name: name, reason: "must be a file name of a-z, 0-9 and '-', not a path")
        }
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count > 1, let last = parts.last, let taskClass = TaskClass(name: last) else {
            let ends = TaskClass.allCases.map { "-\($0.name)" }.joined(separator: ", ")
            throw WorkerIDError(
                name: name, reason: "must end in the class that it serves: \(ends)")
        }
        return taskClass
    }
}

/// Says why a name is no worker's.
package struct WorkerIDError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The refused name.
    package let name: String
    /// The rule that it breaks, in words.
    package let reason: String

    /// The error as one sentence.
    package var description: String { "'\(name.prefix(WorkerID.maximumNameBytes))' \(reason)" }
}
