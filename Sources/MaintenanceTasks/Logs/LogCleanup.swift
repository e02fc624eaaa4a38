// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem
import TaskKit

/// What `maintenance.log_cleanup` keeps.
struct LogCleanupConfig: TaskConfig {
    var retentionDays: Int
    var maximumMB: Int
    var fileRetentionDays: Int
    var fileMaximumMB: Int
    var historyDays: Int
    var settleMinutes: Int
    var dryRun: Bool
    var storePath: String
    var logsPath: String

    init(from config: inout ConfigReader) throws(ConfigError) {
        retentionDays = try config.integer(
            "retention_days", default: 30, in: 1...36_500,
            "log lines of executions are removed after so many days")
        maximumMB = try config.integer(
            "max_size_mb", default: 500, in: 1...1_048_576,
            "the oldest log lines are removed while all together have more MiB")
        fileRetentionDays = try config.integer(
            "file_retention_days", default: 0, in: 0...36_500,
            "rotated log files are removed after so many days; 0: retention_days")
        fileMaximumMB = try config.integer(
            "file_max_size_mb", default: 0, in: 0...1_048_576,
            "the oldest rotated log files are removed above so many MiB; 0: max_size_mb")
        historyDays = try config.integer(
            "history_retention_days", default: 0, in: 0...36_500,
            "ended executions are removed after so many days; 0: never")
        settleMinutes = try config.integer(
            "settle_minutes", default: 5, in: 0...1440,
            "rotated log files that changed within so many minutes stay")
        dryRun = try config.boolean(
            "dry_run", default: false, "only say what would be removed")
        storePath = try config.string(
            "store_path", default: StoreFile.defaultPath, "the database")
        logsPath = try config.string("logs_path", default: "/aico/logs", "the log files")
    }
}

/// What a run of `maintenance.log_cleanup` removed, or would have.
struct LogCleanupReport: TaskResult, Equatable {
    /// Log lines of executions.
    var rows = 0
    var rowBytes = 0
    /// Ended executions; their rows in all tables are in `historyRows`.
    var executions = 0
    var historyRows = 0
    var files = 0
    var fileBytes: Int64 = 0
    /// Files that should have gone and stay.
    var failures = 0
    /// All bytes; the database file itself shrinks with the next `maintenance.database_vacuum`.
    var bytes: Int64 = 0
    var dryRun = false

    enum CodingKeys: String, CodingKey {
        case rows, executions, files, failures, bytes
        case rowBytes = "row_bytes"
        case historyRows = "history_rows"
        case fileBytes = "file_bytes"
        case dryRun = "dry_run"
    }
}

/// Removes log lines and rotated log files by age and by total size, oldest first.
struct LogCleanup: ScheduledTask {
    static let id = "maintenance.log_cleanup"
    static let summary = "removes old log lines and rotated log files"
    static let capabilities: [TaskCapability] = [.readAnything]
    static let timeout: Duration = .seconds(1800)

    func run(
        _ config: LogCleanupConfig, _ context: TaskContext
    ) async throws -> LogCleanupReport {
        let now = Instant(sinceEpoch: Clock.wall)
        var report = LogCleanupReport(dryRun: config.dryRun)
        // Files first: a store that cannot be opened must not fill the disk as well.
        let files = try removeFiles(config, context, now)
        report.files = files.files
        report.fileBytes = files.bytes
        report.failures = files.failures
        context.log("\(files.files) rotated log files, \(files.bytes) bytes")
        do {
            try removeRows(config, context, now, &report)
        } catch let error as StoreFileError {
            throw error.isDamaged
                ? TaskFailure.permanent(error.description)
                : TaskFailure.transient(error.description)
        }
        report.bytes = Int64(clamping: Int128(report.rowBytes) + Int128(report.fileBytes))
        return report
    }

    private func removeFiles(
        _ config: LogCleanupConfig, _ context: TaskContext, _ now: Instant
    ) throws -> FileTally {
        let days = config.fileRetentionDays > 0 ? config.fileRetentionDays : config.retentionDays
        let limit = config.fileMaximumMB > 0 ? config.fileMaximumMB : config.maximumMB
        return try LogFiles(
            root: config.logsPath, context: context, dryRun: config.dryRun,
            settledBefore: now.seconds - Int64(config.settleMinutes * 60)
        ).remove(before: now.seconds - Int64(days) * 86_400, beyond: Int64(limit) << 20)
    }

    private func removeRows(
        _ config: LogCleanupConfig, _ context: TaskContext, _ now: Instant,
        _ report: inout LogCleanupReport
    ) throws {
        let store = try StoreFile(path: config.storePath, busyTimeout: 5)
        let lines = LogRows(store: store, context: context, dryRun: config.dryRun)
        var removed = try lines.remove(before: Self.cutoff(now, days: config.retentionDays))
        removed += try lines.remove(beyond: config.maximumMB << 20, besides: removed)
        report.rows = removed.rows
        report.rowBytes = removed.bytes
        context.log("\(removed.rows) log lines, \(removed.bytes) bytes")
        guard config.historyDays > 0 else { return }
        let history = HistoryRows(store: store, context: context, dryRun: config.dryRun)
        (report.executions, report.historyRows) = try history.remove(
            before: Self.cutoff(now, days: config.historyDays))
        context.log("\(report.executions) executions, \(report.historyRows) rows of history")
    }

    /// The store's form of an instant without its fraction: sorts before all of its second.
    static func cutoff(_ now: Instant, days: Int) -> String {
        String(Instant(seconds: now.seconds - Int64(days) * 86_400).iso8601.dropLast())
    }
}
