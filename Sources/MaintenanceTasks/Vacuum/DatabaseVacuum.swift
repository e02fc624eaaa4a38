// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import TaskKit

/// How `maintenance.database_vacuum` goes about it.
struct DatabaseVacuumConfig: TaskConfig {
    var isFull: Bool
    var keepMB: Int
    var pagesPerStep: Int
    var maximumDuration: Duration
    var analyzes: Bool
    var storePath: String

    init(from config: inout ConfigReader) throws(ConfigError) {
        isFull =
            try config.string(
                "mode", default: "incremental", choices: ["incremental", "full"],
                "incremental leaves keep_free_mb for rows to come, full leaves nothing")
            == "full"
        keepMB = try config.integer(
            "keep_free_mb", default: 4, in: 0...1_048_576,
            "free MiB that stay in the database in mode incremental")
        pagesPerStep = try config.integer(
            "pages_per_step", default: 64, in: 1...4096,
            "pages that are given back in one transaction, for which the scheduler waits")
        maximumDuration = try config.seconds(
            "max_duration", default: 1200, in: 1...86_400,
            "seconds after which the rest is left for the next run")
        analyzes = try config.boolean(
            "analyze", default: true, "renew the statistics that queries are planned with")
        storePath = try config.string(
            "store_path", default: StoreFile.defaultPath, "the database")
    }
}

/// What a run of `maintenance.database_vacuum` came to.
struct DatabaseVacuumReport: TaskResult, Equatable {
    /// The database and its write-ahead log, in bytes on disk.
    var bytesBefore: Int64
    var bytesAfter: Int64
    /// Never negative: the scheduler may have written more meanwhile.
    var bytesReclaimed: Int64
    var freePagesBefore: Int
    var freePagesAfter: Int
    /// Whether the write-ahead log is empty now.
    var logEmptied: Bool
    /// Tables with new statistics.
    var analyzed: Int
    /// Whether nothing was left for the next run.
    var finished: Bool

    enum CodingKeys: String, CodingKey {
        case analyzed, finished
        case bytesBefore = "bytes_before"
        case bytesAfter = "bytes_after"
        case bytesReclaimed = "bytes_reclaimed"
        case freePagesBefore = "free_pages_before"
        case freePagesAfter = "free_pages_after"
        case logEmptied = "log_emptied"
    }
}

/// Gives unused space of the database back and renews its statistics, beside a working scheduler.
struct DatabaseVacuum: ScheduledTask {
    static let id = "maintenance.database_vacuum"
    static let summary = "gives unused space of the database back and renews its statistics"
    static let timeout: Duration = .seconds(1800)

    func run(
        _ config: DatabaseVacuumConfig, _ context: TaskContext
    ) async throws -> DatabaseVacuumReport {
        do {
            return try work(config, context)
        } catch let error as StoreFileError {
            throw error.isDamaged
                ? TaskFailure.permanent(error.description)
                : TaskFailure.transient(error.description)
        }
    }

    private func work(
        _ config: DatabaseVacuumConfig, _ context: TaskContext
    ) throws -> DatabaseVacuumReport {
        let store = try StoreFile(path: config.storePath, busyTimeout: 5)
        let bytes = store.bytesOnDisk
        let before = try store.statements { try StorePages($0) }
        let vacuum = StoreVacuum(
            store: store, context: context, pagesPerStep: config.pagesPerStep,
            keep: config.isFull ? 0 : (config.keepMB << 20) / max(before.size, 512),
            until: .now + config.maximumDuration)
        var finished = before.canShrink
        if before.canShrink {
            finished = try vacuum.shrink(from: before)
            if !finished { context.log("stopped before the end; the next run goes on") }
        } else {
            context.log(
                .warning,
                "the database was made without auto_vacuum: its free pages are used again, "
                    + "but its file cannot shrink while the scheduler runs")
        }
        let analyzed = config.analyzes ? try vacuum.analyze() : 0
        try context.checkCancellation()
        let emptied = try vacuum.checkpoint()
        let after = try store.statements { try StorePages($0) }
        let left = store.bytesOnDisk
        context.log("\(max(0, bytes - left)) bytes reclaimed, \(left) left")
        return DatabaseVacuumReport(
            bytesBefore: bytes, bytesAfter: left, bytesReclaimed: max(0, bytes - left),
            freePagesBefore: before.free, freePagesAfter: after.free, logEmptied: emptied,
            analyzed: analyzed, finished: finished)
    }
}
