// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import AicoStore
import AicoWire
import Foundation

extension InstanceRoot {
    /// The store, while no scheduler has it.
    func store() throws -> TaskStore {
        try TaskStore(
            path: "\(path)/var/lib/aico/store/aico.db",
            keys: try KeyRing.open(directory: "\(path)/var/lib/aico/keys"))
    }

    /// What became of a task's instants, earliest first.
    func occurrences(_ task: String = "user.one") throws -> [StoredOccurrence] {
        let store = try store()
        let found = try store.occurrences(task: task, limit: 1000).records
        try store.close()
        return found.reversed()
    }

    /// The actions of the audit log, oldest first.
    func audit() throws -> [AuditEntry] {
        let store = try store()
        let found = try store.audit(limit: 1000)
        try store.close()
        return found.sorted { $0.at < $1.at }
    }

    /// The task that `put` makes.
    static func task() throws -> TaskKey {
        TaskKey(id: try TaskID("user.one"), uid: "00000000-0000-4000-8000-000000000001")
    }

    /// Puts a task into the store as if it had been made some time ago.
    func put(
        _ schedule: String, created: Instant, nextRun: Instant?, policies: JSONValue = [:]
    ) throws {
        let store = try store()
        let task = StoredTask(
            key: try Self.task(), type: "user.command", schedule: schedule,
            config: (["argv": ["/bin/true"]] as JSONValue).serialized(),
            policies: policies.serialized(), origin: "admin", createdAt: created,
            updatedAt: created, nextRun: nextRun)
        try store.perform([.createTask(task)])
        try store.close()
    }
}

extension Instant {
    /// A second that is still ahead when the scheduler reads of it.
    static var soon: Instant { Instant(seconds: (now + .milliseconds(200)).seconds + 1) }

    /// The time on the machine's clock.
    static var now: Instant {
        Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }
}

extension JSONValue {
    /// The member as an instant.
    func instant(_ key: String) -> Instant? { self[key]?.string.flatMap { Instant(iso8601: $0) } }
}
