// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire
import Logging
import TimeZones

extension Scheduler {
    /// Asks for the workers, reads the tasks, settles what a crash left behind.
    func start() throws {
        for pipe in pipes {
            supervisor.send(SupervisorMessage(kind: .launch, taskClass: pipe.taskClass))
        }
        try loadTasks()
        try recover()
        createBuiltIns()
        for entry in tasks.values.sorted(by: { $0.id < $1.id }) { begin(entry) }
        audit("scheduler", "scheduler.start", "", "")
        log.notice("started", metadata: ["tasks": "\(tasks.count)"])
    }

    private func loadTasks() throws(StoreError) {
        let stored = try store.tasks { error in
            log.error("task left out", metadata: ["error": "\(error)"])
        }
        for task in stored {
            do throws(BusRefusal) {
                tasks[task.id] = TaskEntry(task: task, table: try timetable(of: task))
            } catch {
                log.error(
                    "task left out", metadata: ["task": "\(task.id)", "why": "\(error.message)"])
            }
        }
    }

    /// Reads what a stored task's texts mean.
    func timetable(of task: StoredTask) throws(BusRefusal) -> Planner.Timetable {
        let json: JSONValue
        do {
            json = try JSONValue.parse(task.policies)
        } catch {
            throw BusRefusal(code: .invalid, message: error.description)
        }
        let policies = try TaskPolicies(
            json: json, defaults: configuration.scheduler.defaultPolicies)
        do {
            let schedule = try Schedule.parse(task.schedule)
            let zone = try TimeZoneStore.load(task.timezone)
            return Planner.Timetable(
                schedule: schedule, zone: zone, created: task.createdAt, policies: policies)
        } catch let error as ScheduleError {
            throw BusRefusal(code: .invalid, message: error.message, hint: error.hint)
        } catch let error as TimeZoneError {
            throw BusRefusal(code: .invalid, message: error.message, hint: error.hint)
        } catch {
            throw BusRefusal(code: .internal, message: "\(error)")
        }
    }

    /// Starts a task's clock. What passed while down is due now; the misfire policy decides.
    private func begin(_ entry: TaskEntry) {
        guard entry.task.enabled else { return }
        if entry.table.schedule.kind == .reboot {
            enqueue(Waiting(entry: entry, trigger: .schedule, plannedAt: startedAt))
        } else if entry.task.nextRun == nil {
            if case .at = entry.table.schedule.kind, entry.task.lastRun != nil { return }
            plan(entry, after: now)
            if let next = entry.task.nextRun { journal.add(.setNextRun(entry.id, next)) }
        } else {
            arm(entry)
        }
    }

    /// Makes the system's own tasks, except those that stand or were deleted.
    private func createBuiltIns() {
        let deleted = (try? store.deletedTaskIDs()) ?? []
        for builtIn in configuration.builtInTasks
        where tasks[builtIn.id] == nil && !deleted.contains(builtIn.id.text) {
            guard registry.types[builtIn.id] != nil else {
                log.debug("no type for a built-in task", metadata: ["task": "\(builtIn.id)"])
                continue
            }
            var policies = builtIn.policies
            // They do no harm when they run twice.
            policies.onCrash = .rerun
            let task = StoredTask(
                id: builtIn.id, type: builtIn.type, schedule: builtIn.schedule.text,
                timezone: builtIn.timeZone, config: JSONValue.object(builtIn.config).serialized(),
                policies: policies.json(
                    apartFrom: configuration.scheduler.defaultPolicies
                ).serialized(),
                enabled: builtIn.isEnabled, createdAt: now, updatedAt: now)
            do throws(BusRefusal) {
                let entry = TaskEntry(task: task, table: try timetable(of: task))
                if entry.task.enabled { entry.task.nextRun = entry.table.next(after: now) }
                journal.add(.createTask(entry.task))
                tasks[task.id] = entry
            } catch {
                log.error(
                    "built-in task not made",
                    metadata: ["task": "\(builtIn.id)", "why": "\(error.message)"])
            }
        }
    }
}
