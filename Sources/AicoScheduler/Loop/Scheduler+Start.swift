// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire
import LinuxSystem
import Logging
import SchedulerCore
import TimeZones

extension Scheduler {
    /// Reads what the store has and gives it to the core.
    func start() throws {
        core.setTypes(
            Dictionary(uniqueKeysWithValues: registry.owners.map { ($0.key.text, $0.value) }),
            undescribed: registry.undescribed)
        for (id, type) in registry.types {
            if let timeout = type.timeout { core.setTimeout(timeout, ofType: id.text) }
        }
        core.health.surroundings =
            registry.problems.map {
                HealthCheck(name: "registry", status: .degraded, message: $0)
            }
            + keyProblems.map { HealthCheck(name: "bus.keys", status: .degraded, message: $0) }
        feed(.start(try startFacts()))
    }

    private func startFacts() throws -> StartFacts {
        var facts = StartFacts()
        let tasks = try store.tasks()
        facts.damages = tasks.damages.map(\.description)
        for record in tasks.records {
            do throws(BusRefusal) {
                facts.tasks.append(
                    TaskDefinition(record: record, table: try timetable(of: record)))
            } catch {
                facts.damages.append("task \(record.id) is left out: \(error.message)")
            }
        }
        readOpen(into: &facts)
        let deleted = Set((try? store.deletedTaskIDs())?.records ?? [])
        facts.builtIns = configuration.builtInTasks.compactMap { builtIn in
            guard !deleted.contains(builtIn.id.text) else { return nil }
            return definition(of: builtIn)
        }
        facts.bootID = BootID.current
        facts.isNewBoot = (try? store.lastBoot()) != facts.bootID
        return facts
    }

    /// Reads what the last scheduler left open; what a damaged page keeps is told, and the rest
    /// goes on.
    private func readOpen(into facts: inout StartFacts) {
        do throws(StoreError) {
            let attempts = try store.runningAttempts()
            facts.damages += attempts.damages.map(\.description)
            for attempt in attempts.records {
                // One that cannot be read keeps no other from being settled.
                do throws(StoreError) {
                    guard let execution = try store.execution(attempt.executionID) else { continue }
                    facts.running.append((attempt, execution))
                } catch { facts.damages.append(error.description) }
            }
        } catch { facts.damages.append(error.description) }
        do throws(StoreError) {
            let waiting = try store.waitingExecutions()
            facts.waiting = waiting.records
            facts.damages += waiting.damages.map(\.description)
        } catch { facts.damages.append(error.description) }
        do throws(StoreError) {
            let deferred = try store.deferredOccurrences()
            facts.deferred = deferred.records
            facts.damages += deferred.damages.map(\.description)
        } catch { facts.damages.append(error.description) }
    }

    /// Makes the row of one of the system's own tasks; nil where its type is not there.
    private func definition(of builtIn: BuiltInTask) -> TaskDefinition? {
        guard registry.types[builtIn.id] != nil else {
            log.debug("no type for a built-in task", metadata: ["task": "\(builtIn.id)"])
            return nil
        }
        var policies = builtIn.policies
        // They do no harm when they run twice.
        policies.onCrash = .rerun
        let now = WallClock.now
        let record = StoredTask(
            key: TaskKey(id: builtIn.id, uid: ""), type: builtIn.type,
            schedule: builtIn.schedule.text, timezone: builtIn.timeZone,
            config: JSONValue.object(builtIn.config).serialized(),
            policies: policies.json(apartFrom: configuration.scheduler.defaultPolicies)
                .serialized(), enabled: builtIn.isEnabled, createdAt: now, updatedAt: now)
        do throws(BusRefusal) {
            return TaskDefinition(record: record, table: try timetable(of: record))
        } catch {
            log.error(
                "built-in task not made",
                metadata: ["task": "\(builtIn.id)", "why": "\(error.message)"])
            return nil
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
}

/// What tells one boot of the machine from another.
enum BootID {
    /// The kernel's id of this boot; empty where it does not say. See random(4).
    static var current: String {
        let text = File.beginning(of: "/proc/sys/kernel/random/boot_id", bytes: 64) ?? ""
        return text.split(separator: "\n").first.map(String.init) ?? ""
    }
}
