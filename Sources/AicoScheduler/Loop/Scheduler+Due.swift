// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire

extension Scheduler {
    /// Sorts a task's due instants and puts those that run into the queue.
    func fire(_ id: TaskID) {
        guard phase == .running, let entry = tasks[id], let from = entry.task.nextRun else {
            return
        }
        // The jitter moves when the task is looked at, not what its instants are.
        let jitter = Planner.jitter(of: id, policies: entry.policies)
        let plan = Planner.plan(
            entry.table, from: from, now: now - jitter,
            cap: configuration.scheduler.maximumCatchUp)
        for missed in plan.notRun {
            journal.add(
                .occurrence(
                    id, plannedAt: missed.instant,
                    missed.reason == .coalesced ? .coalesced : .missed,
                    reason: missed.reason.rawValue, at: now))
        }
        entry.task.nextRun = plan.next
        journal.add(.setNextRun(id, plan.next))
        arm(entry)
        for due in plan.due {
            let trigger: ExecutionTrigger = due.isCatchUp ? .catchUp : .schedule
            enqueue(Waiting(entry: entry, trigger: trigger, plannedAt: due.instant))
        }
    }

    /// Puts something due into the queue.
    func enqueue(_ item: Waiting) {
        queue.insert(item)
        needsAdmission = true
    }

    /// Puts an execution whose delay is over back into the queue.
    func retry(_ execution: String) {
        guard phase == .running, let run = runs[execution], case .waiting = run.phase else {
            return
        }
        enqueue(
            Waiting(
                entry: run.entry, trigger: run.trigger, plannedAt: run.plannedAt,
                executionID: execution, retryOf: run))
    }

    /// Decides about all that waits.
    func admit() {
        guard needsAdmission else { return }
        needsAdmission = false
        guard phase == .running, !queue.items.isEmpty else { return }
        var kept: [Waiting] = []
        var ahead: [TaskID: Int] = [:]
        let load = monitor.load(at: now)
        for item in queue.items {
            // Cancelled while it waited for its next attempt.
            if let run = item.retryOf, runs[run.executionID] !== run { continue }
            switch decide(item, ahead: ahead[item.entry.id] ?? 0, load: load) {
            case .run:
                start(item)
                continue
            case .skip(let reason):
                skip(item, reason.rawValue)
                continue
            case .cancelOld:
                for run in item.entry.open.values { cancel(run, .superseded) }
                postpone(item, .overlap)
            case .deferred(let reason):
                postpone(item, reason)
            }
            kept.append(item)
            if item.retryOf == nil, !item.isManual { ahead[item.entry.id, default: 0] += 1 }
        }
        queue.replace(kept)
    }

    private func decide(
        _ item: Waiting, ahead: Int, load: Admission.Load?
    ) -> Admission.Decision {
        let pipe = pipe(item.entry.id.taskClass)
        let settings = configuration.scheduler
        // The profile's own limit is the worker's: it refuses what is beyond.
        let limit = min(
            settings.classConcurrency[pipe.taskClass] ?? settings.maximumConcurrency,
            pipe.capacity)
        var candidate = Admission.Candidate(
            policies: item.entry.policies, isManual: item.isManual,
            openOfTask: item.entry.open.count, waitingOfTask: ahead,
            waited: item.heldSince.map { now - $0 } ?? .zero)
        if item.retryOf != nil {
            // Its execution is the open one.
            candidate.policies.overlap = .allow
        } else if item.isManual {
            // Whoever asked was told already that it is queued.
            candidate.policies.overlap = .queueAll
            candidate.waitingOfTask = 0
        } else if item.trigger == .catchUp, candidate.policies.misfire == .runAll,
            candidate.policies.overlap != .allow
        {
            // All were missed together: those that run wait for each other.
            candidate.policies.overlap = .queueAll
        }
        let place = Admission.Place(
            isWorkerReady: pipe.isReady, free: settings.maximumConcurrency - running,
            freeInClass: limit - pipe.running, load: load, thresholds: settings.thresholds)
        return Admission.decide(candidate, at: place)
    }

    private func postpone(_ item: Waiting, _ reason: Admission.Deferral) {
        if reason.isForResources {
            item.heldSince = item.heldSince ?? now
            timers.set(.resources, at: now + configuration.scheduler.resourceCheckInterval)
        }
        guard item.recorded == nil else { return }
        item.recorded = reason
        guard item.retryOf == nil else { return }
        // `manual` tells a restart what to make of it.
        let word = item.isManual ? "manual" : reason.rawValue
        journal.add(
            .deferral(
                item.entry.id, plannedAt: item.plannedAt, reason: word,
                execution: item.executionID, at: now))
        publish(
            .executionDeferred,
            [
                "task": .string(item.entry.id.text), "planned_at": .instant(item.plannedAt),
                "reason": .string(reason.rawValue),
            ])
    }

    /// Records that an instant does not run.
    func skip(_ item: Waiting, _ reason: String) {
        guard item.retryOf == nil else { return }
        journal.add(
            .occurrence(
                item.entry.id, plannedAt: item.plannedAt, .skipped, reason: reason, at: now))
        publish(
            .executionSkipped,
            [
                "task": .string(item.entry.id.text), "planned_at": .instant(item.plannedAt),
                "reason": .string(reason),
            ])
    }
}
