// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import TaskKit

/// What `maintenance.health_check` looks at and what it thinks of it.
struct HealthCheckConfig: TaskConfig {
    var checksDatabase: Bool
    var checksBus: Bool
    var checksDisk: Bool
    var checksMemory: Bool
    var latency: Threshold
    var integrityLimit: Duration
    var fullIntegrityHours: Int
    var roundTrip: Threshold
    var busTimeout: Duration
    var free: Threshold
    var minimumFreeBytes: UInt64
    var memory: Threshold
    var pressure: Threshold
    var storePath: String
    var logsPath: String
    var busEndpoint: String
    var busKey: String
    var statePath: String
    var procPath: String

    init(from config: inout ConfigReader) throws(ConfigError) {
        checksDatabase = try config.boolean(
            "check_database", default: true, "look at the database's content and speed")
        checksBus = try config.boolean(
            "check_message_bus", default: true,
            "ask the scheduler over the bus, also how the workers do")
        checksDisk = try config.boolean(
            "check_disk_space", default: true, "look at the space for database and logs")
        checksMemory = try config.boolean(
            "check_memory", default: true, "look at the machine's memory")
        latency = Threshold(
            degraded: try config.number(
                "store_latency_degraded_ms", default: 250, in: 1...60_000,
                "a read or durable write that takes this long is degraded"),
            critical: try config.number(
                "store_latency_critical_ms", default: 2000, in: 1...60_000,
                "a read or durable write that takes this long is critical"))
        integrityLimit = try config.seconds(
            "integrity_seconds", default: 20, in: 0.001...3600,
            "how long the check of the database's content may take")
        fullIntegrityHours = try config.integer(
            "full_integrity_hours", default: 24, in: 0...8760,
            "after how long indexes are checked against tables again; 0: at every run")
        roundTrip = Threshold(
            degraded: try config.number(
                "bus_degraded_ms", default: 500, in: 1...60_000,
                "a round trip over the bus that takes this long is degraded"),
            critical: try config.number(
                "bus_critical_ms", default: 3000, in: 1...60_000,
                "a round trip over the bus that takes this long is critical"))
        busTimeout = try config.seconds(
            "bus_timeout", default: 5, in: 0.01...60, "seconds to wait for an answer of the bus")
        free = Threshold(
            degraded: try config.number(
                "min_free_percent", default: 10, in: 0...100, "less free disk is degraded"),
            critical: try config.number(
                "critical_free_percent", default: 3, in: 0...100, "less free disk is critical"))
        minimumFreeBytes =
            UInt64(
                try config.integer(
                    "critical_free_mb", default: 64, in: 0...1_048_576,
                    "less free disk in MiB is critical whatever the percentage")) << 20
        memory = Threshold(
            degraded: try config.number(
                "min_available_memory_percent", default: 10, in: 0...100,
                "less available memory is degraded"),
            critical: try config.number(
                "critical_available_memory_percent", default: 4, in: 0...100,
                "less available memory is critical"))
        pressure = Threshold(
            degraded: try config.number(
                "memory_pressure_percent", default: 20, in: 0...100,
                "degraded where some process waited for memory this much of the last minute"),
            critical: try config.number(
                "critical_memory_pressure_percent", default: 20, in: 0...100,
                "critical where all processes waited for memory this much of the last minute"))
        storePath = try config.string(
            "store_path", default: StoreFile.defaultPath, "the database")
        logsPath = try config.string("logs_path", default: "/aico/logs", "the log files")
        busEndpoint = try config.string(
            "bus_endpoint", default: "ipc:///aico/bus/health.sock", "the bus")
        busKey = try config.string(
            "bus_key", default: "/aico/bus/maintenance.key", "the client key for the bus")
        statePath = try config.string(
            "state_path", default: "/aico/store/health_check.state",
            "where the time of the last full check is kept")
        procPath = try config.string("proc_path", default: "/proc", "where proc(5) is mounted")
    }

    func validate() throws(ConfigError) {
        for (name, limits) in [("store_latency", latency), ("bus", roundTrip)]
        where limits.critical < limits.degraded {
            throw ConfigError(
                field: "\(name)_critical_ms", reason: "must not be below \(name)_degraded_ms")
        }
        for (name, better, limits) in [
            ("critical_free_percent", "min_free_percent", free),
            ("critical_available_memory_percent", "min_available_memory_percent", memory),
        ] where limits.critical > limits.degraded {
            throw ConfigError(field: name, reason: "must not be above \(better)")
        }
    }
}
