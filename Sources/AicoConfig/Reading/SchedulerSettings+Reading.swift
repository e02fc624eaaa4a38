// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import StrictYAML
import TimeZones

extension SchedulerSettings {
    init(_ section: SettingsSection) throws(YAMLFailure) {
        let delay = try section.seconds("default_retry_delay", 0...604_800)
        let maximumDelay = try section.seconds("max_retry_delay", 0...604_800)
        guard delay <= maximumDelay else {
            throw try section["max_retry_delay"].failure(
                "'max_retry_delay' must not be less than 'default_retry_delay'")
        }
        let classes = try section.section("class_concurrency")
        var classConcurrency: [TaskClass: Int] = [:]
        for taskClass in TaskClass.allCases {
            classConcurrency[taskClass] = try classes.integer(taskClass.name, 1...64)
        }
        self.init(
            isEnabled: try section.bool("enabled"),
            maximumConcurrency: try section.integer("max_concurrent_tasks", 1...256),
            classConcurrency: classConcurrency,
            thresholds: try Self.thresholds(section),
            resourceCheckInterval: try section.seconds("resource_check_interval", 1...3600),
            autoDiscover: try section.bool("auto_discover"),
            workers: try Self.workers(section["worker_executables"]),
            retryInterval: try section.seconds("scheduler_interval", 0.01...60),
            batchSize: try section.integer("batch_size", 1...10_000),
            cacheSize: try section.integer("cache_size", 100...1_000_000),
            retry: RetryPolicy(
                count: try section.integer("default_retry_count", 0...100), delay: delay,
                factor: try section.number("retry_factor", 1...10), maximumDelay: maximumDelay,
                jitter: try section.seconds("retry_jitter", 0...3600)),
            maximumDefer: try section.seconds("max_defer", 0...604_800),
            grace: try section.seconds("default_grace", 0...300),
            timeZone: try section["timezone"].timeZone("timezone"),
            catchUpWindow: try section.seconds("catchup_window", 0...31_536_000),
            maximumCatchUp: try section.integer("max_catchup", 1...10_000))
    }

    private static func thresholds(
        _ section: SettingsSection
    ) throws(YAMLFailure) -> Admission.Thresholds {
        Admission.Thresholds(
            maximumCPU: try section.number("max_cpu_percent", 1...100),
            maximumMemory: try section.number("max_memory_percent", 1...100),
            idleCPU: try section.number("idle_threshold_cpu", 0...100),
            idleMemory: try section.number("idle_threshold_memory", 0...100))
    }

    /// File names beside the scheduler's own: never a path. The four are there in any case.
    private static func workers(_ value: YAMLValue) throws(YAMLFailure) -> [WorkerID] {
        var names: [String] = []
        var workers = WorkerID.shipped
        for item in try value.list("worker_executables") {
            let name = try item.string("worker_executables")
            guard !names.contains(name) else { throw item.failure("'\(name)' is listed twice") }
            names.append(name)
            do throws(WorkerIDError) {
                workers = try WorkerID.list(beside: names)
            } catch {
                throw item.failure(error.description)
            }
        }
        return workers
    }
}

extension YAMLValue {
    /// Reads the name of a zone that the host has.
    func timeZone(_ key: String) throws(YAMLFailure) -> String {
        let name = try string(key)
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
                        || (0x61...0x7A).contains($0) || [0x2B, 0x2D, 0x5F].contains($0)
                }
        }
        guard isName, name.utf8.count <= 64 else {
            throw failure("'\(key)' must be a zone's name as Europe/Berlin, not \(kindName)")
        }
        do {
            _ = try TimeZoneStore.load(name)
        } catch {
            throw failure(error.description)
        }
        return name
    }
}
