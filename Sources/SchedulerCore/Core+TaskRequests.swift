// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension SchedulerCore {
    /// Takes a request; it gets exactly one reply, now or once what it changes is written.
    mutating func receive(_ request: Request, _ id: RequestID, from actor: String) {
        if let task = request.task, isUnsettled(task) {
            // What it finds depends on whether the task's row could be written or removed.
            heldRequests[task, default: []].append((id, actor, request))
            return
        }
        if planted(.doubleReply), case .run(let task) = request, tasks[task] == nil {
            refuse(id, .notFound, "there is no task \"\(task)\"")
        }
        switch request {
        case .create(let task): create(task, id, actor)
        case .update(let task): update(task, id, actor, "task.update")
        case .setEnabled(let task, let isEnabled): setEnabled(task, isEnabled, id, actor)
        case .delete(let task): delete(task, id, actor)
        case .run(let task): run(task, .manual, letter: nil, id, actor)
        case .cancelTask(let task, let isNow): cancel(task: task, isNow, id, actor)
        case .cancelExecution(let execution, let isNow): cancel([execution], isNow, id, actor)
        case .retryDeadLetter(let letter): retry(letter, id, actor)
        case .purgeDeadLetter(let letter):
            write(
                [.purgeDeadLetter(id: letter), audit(actor, "dlq.purge", String(letter))],
                then: .reply(id, .purged(1)), isRefusable: true)
        case .purgeDeadLetters(let count):
            write(
                [.purgeDeadLetters, audit(actor, "dlq.purge", String(count))],
                then: .reply(id, .purged(count)), isRefusable: true)
        case .stopSystem:
            // A stop must work on a full disk too: nothing of it waits for the store.
            write([audit(actor, "supervisor.stop", "")])
            reply(id, .stopping)
            actions.append(.stopSystem)
        }
    }

    /// Takes up what waited for a task's row.
    mutating func releaseRequests(of task: TaskID) {
        guard let waiting = heldRequests.removeValue(forKey: task) else { return }
        for held in waiting { receive(held.request, held.id, from: held.actor) }
    }

    private func isUnsettled(_ id: TaskID) -> Bool {
        guard let task = tasks[id] else { return false }
        return task.isCreating || task.isDeleting
    }

    // MARK: - Create

    private mutating func create(_ task: TaskDefinition, _ id: RequestID, _ actor: String) {
        var task = task
        guard tasks[task.record.id] == nil else {
            return reply(id, .refused(Self.taken(task.record.id)))
        }
        task.record.key = TaskKey(id: task.record.id, uid: ids.next())
        task.record.nextRun = task.record.enabled ? task.table.next(after: now.wall) : nil
        var state = TaskState(task)
        state.isCreating = true
        insert(state)
        write(
            [.createTask(task.record), audit(actor, "task.create", task.record.id.text)],
            then: .created(task.record.key, id), isRefusable: true)
    }

    mutating func created(_ key: TaskKey, _ request: RequestID?) {
        guard task(key) != nil else {
            if let request { refuse(request, .internal, "the task \"\(key.id)\" was lost") }
            return
        }
        tasks[key.id]?.isCreating = false
        arm(key.id)
        // Where the clock was stepped back while this was written.
        takeNearer(key.id)
        if let request { reply(request, .task(key)) }
        releaseRequests(of: key.id)
    }

    mutating func insert(_ task: TaskState) {
        tasks[task.id] = task
        taskIDs.insert(task.id)
    }

    mutating func forget(task key: TaskKey) {
        if planted(.undoForgotten), tasks[key.id]?.isCreating == true {
            tasks[key.id]?.isCreating = false
            return arm(key.id)
        }
        guard task(key) != nil else { return }
        tasks[key.id] = nil
        wallTimers.set(key, at: nil)
        taskIDs.remove(key.id)
    }

    static func taken(_ id: TaskID) -> Refusal {
        Refusal(
            .conflict, "there is a task \"\(id)\" already",
            hint: "choose another id, or change it: "
                + "aico scheduler update \(id) --schedule SCHEDULE")
    }

    // MARK: - Update

    private mutating func update(
        _ task: TaskDefinition, _ id: RequestID, _ actor: String, _ action: String
    ) {
        let name = task.record.id
        guard let known = tasks[name] else { return refuse(id, unknown: name) }
        // Made from a task that has been removed since: the one of its name now is another.
        guard task.record.key.uid.isEmpty || task.record.key == known.key else {
            return refuse(
                id, .conflict, "the task \"\(name)\" was deleted and created anew meanwhile",
                hint: "type: aico scheduler show \(name)")
        }
        var task = task
        let before = known.latest
        task.record.key = known.key
        // Its grid begins where it began, whatever the client knew when it asked.
        task.record.createdAt = before.createdAt
        task.table.created = before.createdAt
        // Tells this change from another of the same microsecond.
        task.record.updatedAt = max(now.wall, before.updatedAt + .microseconds(1))
        let isReplanned =
            task.record.schedule != before.schedule || task.record.timezone != before.timezone
            || task.record.enabled != before.enabled
            || task.table.policies.dst != known.policies.dst
        task.record.lastRun = known.record.lastRun
        task.record.nextRun =
            isReplanned
            ? task.record.enabled ? task.table.next(after: now.wall) : nil : known.record.nextRun
        tasks[name]?.changes.append(task)
        write(
            [.updateTask(task.record), audit(actor, action, name.text)],
            then: .updated(known.key, task.record.updatedAt, id), isRefusable: true)
    }

    private mutating func setEnabled(
        _ name: TaskID, _ isEnabled: Bool, _ id: RequestID, _ actor: String
    ) {
        guard let known = tasks[name] else { return refuse(id, unknown: name) }
        var task = known.changes.last ?? TaskDefinition(record: known.record, table: known.table)
        task.record.enabled = isEnabled
        update(task, id, actor, isEnabled ? "task.enable" : "task.disable")
    }

    mutating func updated(_ key: TaskKey, _ at: Instant, _ request: RequestID) {
        guard let task = task(key),
            let change = task.changes.first(where: { $0.record.updatedAt == at })
        else { return refuse(request, .notFound, "there is no task \"\(key.id)\" any more") }
        let before = task.record
        var record = change.record
        record.lastRun = before.lastRun
        let isReplanned =
            record.schedule != before.schedule || record.timezone != before.timezone
            || record.enabled != before.enabled || change.table.policies.dst != task.policies.dst
        let kept = keepAhead(of: task, by: change) ?? now.wall
        if isReplanned {
            record.nextRun = record.enabled ? change.table.next(after: max(now.wall, kept)) : nil
        } else {
            record.nextRun = before.nextRun
        }
        tasks[key.id]?.changes.removeAll { $0.record.updatedAt <= at }
        tasks[key.id]?.record = record
        tasks[key.id]?.table = change.table
        if record.nextRun != change.record.nextRun || task.owesNextRun {
            // Where a further change is on its way, after that.
            tellNextRun(of: key)
        }
        arm(key.id)
        if before.enabled, !record.enabled { skipWaiting(of: key, reason: "disabled") }
        placeAnew(key, change.table.policies)
        needsAdmission = true
        let retrying = record.enabled ? 0 : self.task(key)?.open.count ?? 0
        reply(request, .task(key, retrying: retrying))
    }

    /// What waits of a task waits by its new policies.
    private mutating func placeAnew(_ key: TaskKey, _ policies: TaskPolicies) {
        let waiting = executions(of: key).filter { $0.state == .queued }
        for execution in waiting.sorted(by: { $0.plannedAt < $1.plannedAt }) {
            executions[execution.id]?.policies = policies
            executions[execution.id]?.ticket = 0
            held.remove(execution.id)
            place(execution.id)
        }
    }

    // MARK: - Delete

    private mutating func delete(_ name: TaskID, _ id: RequestID, _ actor: String) {
        guard let known = tasks[name] else { return refuse(id, unknown: name) }
        guard known.record.origin != "builtin" else {
            return refuse(
                id, .conflict, "\(name) is a task of the system itself",
                hint: "type: aico scheduler disable \(name)")
        }
        tasks[name]?.isDeleting = true
        wallTimers.set(known.key, at: nil)
        write(
            [
                .deleteTask(known.key, at: now.wall), audit(actor, "task.delete", name.text),
            ], then: .deleted(known.key, id), isRefusable: true)
    }

    mutating func deleted(_ key: TaskKey, _ request: RequestID) {
        skipWaiting(of: key, reason: "deleted", requestedToo: true)
        let open = (task(key)?.open ?? []).sorted()
        forget(task: key)
        for id in open {
            executions[id]?.isWanted = false
            ending[key.id, default: []].insert(id)
        }
        for id in open { end(id, .requested, isNow: false) }
        reply(request, .deleted(key.id, ending: open.filter { executions[$0] != nil }))
        releaseRequests(of: key.id)
    }

    /// Takes what waits of a task out of the queue; every instant gets its row.
    mutating func skipWaiting(of key: TaskKey, reason: String, requestedToo: Bool = false) {
        let waiting = executions(of: key).filter {
            $0.state == .queued && $0.attempts == 0
                && (requestedToo || !$0.trigger.isRequested)
        }
        for execution in waiting.sorted(by: { $0.plannedAt < $1.plannedAt }) {
            skip(execution.id, reason)
        }
    }

    mutating func refuse(_ id: RequestID, unknown name: TaskID) {
        refuse(
            id, .notFound, "there is no task \"\(name)\"", hint: "type: aico scheduler list")
    }
}

extension Request {
    /// The task whose row decides what becomes of it.
    fileprivate var task: TaskID? {
        switch self {
        case .create(let task), .update(let task): task.record.id
        case .setEnabled(let task, _), .delete(let task), .run(let task), .cancelTask(let task, _):
            task
        case .retryDeadLetter(let letter): try? TaskID(letter.taskID)
        case .cancelExecution, .purgeDeadLetter, .purgeDeadLetters, .stopSystem: nil
        }
    }
}
