// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

import GRDB
import TaskKit

/// Looks at the scheduler's database: is it sound, and does it answer in time?
struct StoreProbe {
    var path: String
    /// Milliseconds of a read or a durable write.
    var latency: Threshold
    /// The longest that the check of the content may take.
    var integrityLimit: Duration
    /// Checks indexes against tables too, which takes several times as long.
    var isThorough: Bool

    func findings(_ context: TaskContext) throws(TaskCancelled) -> [Finding] {
        let store: StoreFile
        do {
            store = try StoreFile(path: path, busyTimeout: latency.critical / 1000)
        } catch {
            return [opening(error)]
        }
        let read = measure("store.read_latency", store) { store throws(StoreFileError) in
            try store.statements { db in
                _ = try Row.fetchOne(db, sql: "SELECT * FROM sqlite_schema LIMIT 1")
            }
        }
        let write = measure("store.write_latency", store) { store throws(StoreFileError) in
            try durableWrite(store)
        }
        return [try integrity(store, context), read, write]
    }

    private func opening(_ error: StoreFileError) -> Finding {
        if error.isBusy { return .unknown("store.integrity", error.description) }
        return Finding("store.integrity", .critical, error.description)
    }

    /// Writes the header as it is: a commit with its sync, but nothing is changed.
    private func durableWrite(_ store: StoreFile) throws(StoreFileError) {
        try store.statements { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
        try store.write { db in
            let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            try db.execute(sql: "PRAGMA user_version = \(version)")
        }
    }

    /// The median of three: one slow sync is not a slow disk.
    private func measure(
        _ name: String, _ store: StoreFile, _ work: (StoreFile) throws(StoreFileError) -> Void
    ) -> Finding {
        var samples: [Double] = []
        for _ in 0..<3 {
            let started = ContinuousClock.now
            do throws(StoreFileError) {
                try work(store)
            } catch {
                let waited = (ContinuousClock.now - started) / .milliseconds(1)
                return Finding(
                    name, .critical,
                    error.isBusy
                        ? "another process holds the database for longer than that"
                        : error.description,
                    value: waited, unit: "ms")
            }
            samples.append((ContinuousClock.now - started) / .milliseconds(1))
        }
        let median = samples.sorted()[1]
        return Finding(
            name, latency.judgeHigh(median), "the database answers", value: median, unit: "ms")
    }

    private func integrity(
        _ store: StoreFile, _ context: TaskContext
    ) throws(TaskCancelled) -> Finding {
        let name = "store.integrity"
        let started = ContinuousClock.now
        let limit = integrityLimit
        do throws(StoreFileError) {
            let found: [String] = try store.statements { db in
                try StatementLimit.run(
                    db, until: { context.isCancelled || ContinuousClock.now - started > limit }
                ) { try faults(db) }
            }
            let took = (ContinuousClock.now - started) / .milliseconds(1)
            guard let first = found.first else {
                let kind = isThorough ? "all pages, rows and indexes" : "all pages and rows"
                return Finding(name, .healthy, "\(kind) are sound", value: took, unit: "ms")
            }
            let more = found.count == 1 ? "" : ", and \(found.count - 1) more"
            return Finding(name, .critical, "\(first.prefix(200))\(more)", value: took, unit: "ms")
        } catch {
            try context.checkCancellation()
            if error.isInterrupted {
                return .unknown(name, "the check takes longer than \(limit)")
            }
            return error.isBusy
                ? .unknown(name, error.description) : Finding(name, .critical, error.description)
        }
    }

    private func faults(_ db: Database) throws -> [String] {
        let check = isThorough ? "integrity_check" : "quick_check"
        var found = try String.fetchAll(db, sql: "PRAGMA \(check)(10)")
        found.removeAll { $0 == "ok" }
        // An empty file is a sound database to SQLite.
        if try !db.tableExists("scheduled_tasks") { found.append("it holds no tasks' table") }
        if isThorough {
            let orphans = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
            if orphans > 0 { found.append("\(orphans) rows refer to rows that do not exist") }
        }
        return found
    }
}
