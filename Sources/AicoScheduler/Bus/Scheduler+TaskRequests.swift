// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire

extension Scheduler {
    func listTasks(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        let reader = try ObjectReader(body, keys: ["class"])
        var only: TaskClass?
        if let name = try reader.string("class") {
            guard let taskClass = TaskClass(name: name) else {
                throw BusRefusal(
                    code: .invalid, message: "unknown class \"\(name)\"",
                    hint: "known are \(TaskClass.allCases.map(\.name).joined(separator: ", "))")
            }
            only = taskClass
        }
        let entries = tasks.values.filter { only == nil || $0.id.taskClass == only }
        return [
            "tasks": .array(entries.sorted { $0.id < $1.id }.map { view(of: $0) })
        ]
    }

    func createTask(_ inquiry: Inquiry) throws(BusRefusal) {
        let reader = try ObjectReader(
            inquiry.body,
            keys: ["id", "schedule", "type", "timezone", "config", "policies", "enabled"])
        guard let id = try reader.taskID("id") else {
            throw BusRefusal(code: .invalid, message: "\"id\" is missing", hint: "name the task")
        }
        guard tasks[id] == nil else { throw Self.taken(id) }
        let task = StoredTask(
            id: id, type: try reader.string("type") ?? "user.command",
            schedule: try reader.requiredString("schedule"),
            timezone: try reader.string("timezone") ?? configuration.scheduler.timeZone,
            config: (reader.value("config") ?? [:]).serialized(),
            policies: (reader.value("policies") ?? [:]).serialized(),
            enabled: try reader.bool("enabled") ?? true, origin: inquiry.client.name,
            createdAt: now, updatedAt: now)
        let entry = try checked(task)
        plan(entry, after: now)
        // Its place is taken at once: a second request of this turn finds it.
        tasks[id] = entry
        journal.add(.createTask(entry.task)) { [self] outcome in
            guard outcome == .done else {
                tasks[id] = nil
                timers.set(.task(id), at: nil)
                return inquiry.reply(.failure(Self.taken(id)))
            }
            inquiry.reply(.success(["task": view(of: entry)]))
        }
        audit(inquiry.client.name, "task.create", id.text)
    }

    func updateTask(_ inquiry: Inquiry) throws(BusRefusal) {
        let reader = try ObjectReader(
            inquiry.body, keys: ["task", "schedule", "timezone", "config", "policies"])
        let entry = try entry(reader)
        var task = entry.task
        task.schedule = try reader.string("schedule") ?? task.schedule
        task.timezone = try reader.string("timezone") ?? task.timezone
        if let patch = reader.value("config") {
            task.config = Self.merge(task.config, patch)
        }
        if let patch = reader.value("policies") {
            task.policies = Self.merge(task.policies, patch)
        }
        task.updatedAt = now
        let fresh = try checked(task)
        let isReplanned =
            task.schedule != entry.task.schedule || task.timezone != entry.task.timezone
            || fresh.policies.dst != entry.policies.dst
        entry.task = task
        entry.table = fresh.table
        if isReplanned { plan(entry, after: now) } else { arm(entry) }
        write(entry, "task.update", inquiry)
    }

    func deleteTask(_ inquiry: Inquiry) throws(BusRefusal) {
        let entry = try entry(try ObjectReader(inquiry.body, keys: ["task"]))
        guard entry.task.origin != "builtin" else {
            throw BusRefusal(
                code: .conflict, message: "\(entry.id) is a task of the system itself",
                hint: "type: aico scheduler disable \(entry.id)")
        }
        for run in entry.open.values {
            run.isWanted = false
            cancel(run, .requested)
        }
        for item in queue.remove(where: { $0.entry === entry && $0.retryOf == nil }) {
            skip(item, "deleted")
        }
        tasks[entry.id] = nil
        timers.set(.task(entry.id), at: nil)
        journal.add(.deleteTask(entry.id, at: now))
        audit(inquiry.client.name, "task.delete", entry.id.text)
        replyWhenWritten(inquiry) { .success(["deleted": .string(entry.id.text)]) }
    }

    func setEnabled(_ isEnabled: Bool, _ inquiry: Inquiry) throws(BusRefusal) {
        let entry = try entry(try ObjectReader(inquiry.body, keys: ["task"]))
        if entry.task.enabled != isEnabled {
            entry.task.enabled = isEnabled
            entry.task.updatedAt = now
            plan(entry, after: now)
            if !isEnabled {
                for item in queue.remove(where: {
                    $0.entry === entry && $0.retryOf == nil && !$0.isManual
                }) { skip(item, "disabled") }
            }
        }
        write(entry, isEnabled ? "task.enable" : "task.disable", inquiry)
    }

    private func write(_ entry: TaskEntry, _ action: String, _ inquiry: Inquiry) {
        journal.add(.updateTask(entry.task))
        audit(inquiry.client.name, action, entry.id.text)
        replyWhenWritten(inquiry) { [self] in .success(["task": view(of: entry)]) }
    }

    /// Checks all that a task says; what comes back can be scheduled and run.
    private func checked(_ task: StoredTask) throws(BusRefusal) -> TaskEntry {
        let typeID: TaskID
        do {
            typeID = try TaskID(task.type)
        } catch {
            throw BusRefusal(code: .invalid, message: error.description)
        }
        guard typeID.taskClass == task.id.taskClass else {
            throw BusRefusal(
                code: .invalid,
                message: "type \(typeID) is of class \(typeID.taskClass.name)"
                    + ", the task's id says class \(task.id.taskClass.name)",
                hint: "begin the id with \(typeID.taskClass.name)")
        }
        guard task.config.count <= AttemptOrder.maximumConfigBytes else {
            throw BusRefusal(
                code: .invalid,
                message: "the config has \(task.config.count) bytes"
                    + ", limit \(AttemptOrder.maximumConfigBytes)")
        }
        guard task.policies.count <= StoredTask.maximumPoliciesBytes else {
            throw BusRefusal(code: .invalid, message: "the policies are too long")
        }
        let config: JSONValue
        do {
            config = try JSONValue.parse(task.config)
        } catch {
            throw BusRefusal(code: .invalid, message: error.description)
        }
        try registry.type(typeID).check(config)
        return TaskEntry(task: task, table: try timetable(of: task))
    }

    private static func merge(_ bytes: [UInt8], _ patch: JSONValue) -> [UInt8] {
        ((try? JSONValue.parse(bytes)) ?? [:]).merged(with: patch).serialized()
    }

    private static func taken(_ id: TaskID) -> BusRefusal {
        BusRefusal(
            code: .conflict, message: "there is a task \"\(id)\" already",
            hint: "type: aico scheduler update \(id)")
    }
}
