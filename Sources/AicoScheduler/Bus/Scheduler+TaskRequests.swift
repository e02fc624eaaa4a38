// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire
import SchedulerCore

extension Scheduler {
    /// Tasks of one page, where a request does not say.
    private static let tasksPerPage = 500

    func listTasks(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        let reader = try ObjectReader(body, keys: ["class", "limit", "after"])
        let only = try reader.taskClass("class")
        let limit = try reader.int("limit", in: 1...1000) ?? Self.tasksPerPage
        var rest = core.taskIDs.following(try reader.taskID("after"))
        var page: [TaskState] = []
        var last: TaskID?
        // Of a class that has few tasks among many no more are looked at in one request.
        var looks = 10 * limit
        while looks > 0, page.count < limit, let id = rest.next() {
            last = id
            looks -= 1
            guard let task = core.tasks[id], !task.isBeingMade else { continue }
            if let only, task.id.taskClass != only { continue }
            page.append(task)
        }
        let isMore = rest.next() != nil
        let next: JSONValue = isMore ? .text(last?.text) : .null
        withOutcomes(of: page, request) { views in ["tasks": .array(views), "next": next] }
    }

    /// Answers with the views of tasks; the last outcome of one that has not run since the
    /// scheduler's start is read from the store.
    private func withOutcomes(
        of tasks: [TaskState], _ request: PendingRequest,
        _ document: @escaping @Sendable ([JSONValue]) -> JSONValue
    ) {
        let waiting = WaitingExecutions(of: tasks, in: core)
        let views = tasks.map { view(of: $0, waiting) }
        let unknown = tasks.map {
            $0.lastOutcome == nil && $0.record.lastRun != nil ? $0.key.uid : nil
        }
        guard unknown.contains(where: { $0 != nil }) else {
            return send(.success(document(views)), to: request)
        }
        read(request) { store throws(StoreError) in
            var whole: [JSONValue] = []
            for (view, uid) in zip(views, unknown) {
                guard let uid else {
                    whole.append(view)
                    continue
                }
                whole.append(view.adding("last_outcome", .text(try store.lastOutcome(uid: uid))))
            }
            return .success(document(whole))
        }
    }

    /// Reads a task to be made.
    func newTask(_ body: JSONValue, from client: String) throws(BusRefusal) -> TaskDefinition {
        let reader = try ObjectReader(
            body, keys: ["id", "schedule", "type", "timezone", "config", "policies", "enabled"])
        guard let id = try reader.taskID("id") else {
            throw BusRefusal(code: .invalid, message: "\"id\" is missing", hint: "name the task")
        }
        let now = WallClock.now
        let record = StoredTask(
            key: TaskKey(id: id, uid: ""), type: try reader.string("type") ?? "user.command",
            schedule: try reader.requiredString("schedule"),
            timezone: try reader.string("timezone") ?? configuration.scheduler.timeZone,
            config: (reader.value("config") ?? [:]).serialized(),
            // A null says what leaving it out says.
            policies: JSONValue.object([:]).merged(with: reader.value("policies") ?? [:])
                .serialized(),
            enabled: try reader.bool("enabled") ?? true, origin: client, createdAt: now,
            updatedAt: now)
        let task = try checked(record)
        try checkTimeout(task)
        try checkFires(task)
        return task
    }

    /// Reads a change of a task; gives the whole definition that follows.
    func updatedTask(_ body: JSONValue) throws(BusRefusal) -> TaskDefinition {
        let reader = try ObjectReader(
            body, keys: ["task", "schedule", "timezone", "config", "policies"])
        let known = try task(reader)
        var record = known.latest
        record.schedule = try reader.string("schedule") ?? record.schedule
        record.timezone = try reader.string("timezone") ?? record.timezone
        if let patch = reader.value("config") { record.config = Self.merge(record.config, patch) }
        if let patch = reader.value("policies") {
            record.policies = Self.merge(record.policies, patch)
        }
        let task = try checked(record)
        // One that the profile cuts since is no fault of what is changed now.
        if task.table.policies.timeout != known.policies.timeout { try checkTimeout(task) }
        if record.schedule != known.latest.schedule { try checkFires(task) }
        return task
    }

    private static func merge(_ bytes: [UInt8], _ patch: JSONValue) -> [UInt8] {
        ((try? JSONValue.parse(bytes)) ?? [:]).merged(with: patch).serialized()
    }

    /// Checks all that a task says; what comes back can be scheduled and run.
    private func checked(_ record: StoredTask) throws(BusRefusal) -> TaskDefinition {
        let typeID: TaskID
        do {
            typeID = try TaskID(record.type)
        } catch {
            throw BusRefusal(code: .invalid, message: error.description)
        }
        guard typeID.taskClass == record.id.taskClass else {
            throw BusRefusal(
                code: .invalid,
                message: "type \(typeID) is of class \(typeID.taskClass.name)"
                    + ", the task's id says class \(record.id.taskClass.name)",
                hint: "begin the id with \(typeID.taskClass.name)")
        }
        guard record.config.count <= AttemptOrder.maximumConfigBytes else {
            throw BusRefusal(
                code: .invalid,
                message: "the config has \(record.config.count) bytes"
                    + ", limit \(AttemptOrder.maximumConfigBytes)")
        }
        guard record.policies.count <= StoredTask.maximumPoliciesBytes else {
            throw BusRefusal(code: .invalid, message: "the policies are too long")
        }
        let config: JSONValue
        do {
            config = try JSONValue.parse(record.config)
        } catch {
            throw BusRefusal(code: .invalid, message: error.description)
        }
        try registry.type(typeID).check(config)
        let task = TaskDefinition(record: record, table: try timetable(of: record))
        try checkRetry(task.table.policies.retry)
        return task
    }

    /// A delay that no retry would wait, since a shorter one is the longest, is a mistake.
    private func checkRetry(_ retry: RetryPolicy) throws(BusRefusal) {
        guard retry.delay > retry.maximumDelay else { return }
        let delay = JSONValue.seconds(retry.delay).text()
        let longest = JSONValue.seconds(retry.maximumDelay).text()
        throw BusRefusal(
            code: .invalid,
            message: "\"policies.retry.delay\" of \(delay) s is more than "
                + "\"policies.retry.max_delay\", \(longest) s",
            hint: "use --retry-delay \(longest), or --retry-max-delay \(delay) as well")
    }

    /// A time limit that the class's profile would cut is refused, not cut in silence.
    private func checkTimeout(_ task: TaskDefinition) throws(BusRefusal) {
        let taskClass = task.record.id.taskClass
        guard let timeout = task.table.policies.timeout,
            let limit = core.worker(.shipped(taskClass)).wallLimit, timeout > limit
        else { return }
        let (asked, held) = (JSONValue.seconds(timeout).text(), JSONValue.seconds(limit).text())
        throw BusRefusal(
            code: .invalid,
            message: "a timeout of \(asked) s is more than the profile of class "
                + "\(taskClass.name) permits: \(held) s",
            hint: "use --timeout \(held), or raise limits.wall_seconds in \(taskClass.name).yaml")
    }

    /// A schedule that never fires is a mistake, whatever it was meant to say.
    private func checkFires(_ task: TaskDefinition) throws(BusRefusal) {
        guard task.table.next(after: WallClock.now) == nil else { return }
        switch task.table.schedule.kind {
        case .reboot: return
        case .at(let instant):
            throw BusRefusal(
                code: .invalid, message: "\(instant) has passed: the task would never run",
                hint: "give a later time; where it is to run by hand alone, one far off: "
                    + "at:2999-01-01T00:00:00Z")
        case .cron, .interval:
            throw BusRefusal(
                code: .invalid,
                message: "\"\(task.record.schedule)\" never fires: no such day comes",
                hint: "write one that comes, as in \"0 2 28 2 *\"")
        }
    }
}

extension ObjectReader {
    func taskClass(_ key: String) throws(BusRefusal) -> TaskClass? {
        guard let name = try string(key) else { return nil }
        guard let taskClass = TaskClass(name: name) else {
            throw BusRefusal(
                code: .invalid, message: "unknown class \"\(name)\"",
                hint: "known are \(TaskClass.allCases.map(\.name).joined(separator: ", "))")
        }
        return taskClass
    }
}

extension StoreReads {
    /// The outcome of the task's last ended execution; nil where there is none.
    func lastOutcome(uid: String) throws(StoreError) -> String? {
        try history(uid: uid, limit: 5).first { $0.outcome != nil }?.outcome
    }
}
