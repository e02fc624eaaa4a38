// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB
import LinuxSystem
import TaskKit
import TimeZones

/// What `agency.background_learning` reads, and when it stops.
struct BackgroundLearningConfig: TaskConfig {
    var maximumDuration: Duration
    var busyPercent: Double
    var timezone: String
    var maximumTerms: Int
    var maximumLineBytes: Int
    var interactionsPath: String
    var learningPath: String

    init(from config: inout ConfigReader) throws(ConfigError) {
        maximumDuration = try config.seconds(
            "max_duration", default: 600, in: 1...86_400,
            "seconds after which the rest is left for the next run")
        busyPercent = try config.number(
            "busy_cpu_percent", default: 20, in: 1...100,
            "the rest is left for the next run where others want more of the processors; "
                + "100: never")
        timezone = try config.string(
            "timezone", default: "UTC", "the zone of hours and weekdays, as Europe/Berlin")
        maximumTerms = try config.integer(
            "max_terms", default: 50_000, in: 100...1_000_000,
            "so many of the most frequent terms are kept")
        maximumLineBytes =
            try config.integer(
                "max_line_kb", default: 256, in: 1...4096, "longer lines are skipped, in KiB")
            << 10
        interactionsPath = try config.string(
            "interactions_path", default: "/aico/memory/interactions",
            "where interactions are recorded, in files *.jsonl")
        learningPath = try config.string(
            "learning_path", default: "/aico/learning", "where background_learning.db is kept")
    }

    func validate() throws(ConfigError) {
        do {
            _ = try TimeZoneStore.load(timezone)
        } catch {
            throw ConfigError(field: "timezone", reason: "\(error.reason); \(error.hint)")
        }
    }
}

/// What a run of `agency.background_learning` came to.
struct LearningReport: TaskResult, Equatable {
    /// Files of which something new was read.
    var files = 0
    /// Lines in them, blank ones left out.
    var lines = 0
    /// Lines that were no interactions, or too long.
    var skipped = 0
    /// Terms counted, each as often as it was there.
    var terms = 0
    /// Different terms that are kept, of this and earlier runs.
    var distinctTerms = 0
    /// Bytes read for good.
    var bytes: Int64 = 0
    /// Bytes left for the next run; where `stopped` is finished, only of unfinished last lines.
    var bytesLeft: Int64 = 0
    /// Names that are not read: links, directories, files without permission.
    var refused = 0
    var stopped = Stop.finished

    enum CodingKeys: String, CodingKey {
        case files, lines, skipped, terms, bytes, refused, stopped
        case distinctTerms = "distinct_terms"
        case bytesLeft = "bytes_left"
    }
}

/// Counts terms, and activity by hour and weekday, of what is new in recorded interactions.
///
/// Interactions are lines of JSON in `*.jsonl` files; `Interaction` says which members are read.
/// The counts go into `background_learning.db`, table by table described in `LearningStore`,
/// together with how far each file was read: a run that is stopped or killed at any moment
/// leaves nothing out and counts nothing twice. A file that became shorter, or in whose place
/// there is another, is read from its beginning; a line without its end waits for the next run.
struct BackgroundLearning: ScheduledTask {
    static let id = "agency.background_learning"
    static let summary = "learns terms and hours of activity from recorded interactions"
    static let timeout: Duration = .seconds(900)

    func run(
        _ config: BackgroundLearningConfig, _ context: TaskContext
    ) async throws -> LearningReport {
        try Self.run(config, context, .real)
    }

    /// Runs with a machine and batches of the caller's choice.
    static func run(
        _ config: BackgroundLearningConfig, _ context: TaskContext, _ machine: Machine,
        _ limit: BatchLimit = BatchLimit()
    ) throws -> LearningReport {
        do {
            let zone = try TimeZoneStore.load(config.timezone)
            let directory = try InteractionDirectory(path: config.interactionsPath)
            let lock = try LearningLock(directory: config.learningPath)
            let store = try LearningStore(lock: lock, maximumTerms: config.maximumTerms)
            var run = LearningRun(
                config: config, context: context, machine: machine, limit: limit, zone: zone,
                store: store)
            return try run.learn(from: directory)
        } catch let error as SystemError {
            throw TaskFailure.transient(error.description)
        } catch let error as LearningStoreError {
            throw TaskFailure.permanent(error.description)
        } catch let error as DatabaseError {
            // Without the statement's arguments: they are what people said.
            let reason = error.message ?? error.resultCode.description
            let message = "cannot use the counts: \(reason)"
            throw [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
                ? TaskFailure.permanent(message) : TaskFailure.transient(message)
        }
    }
}
