// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct HealthRulesTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let id: String
        var worker = HealthRules.Worker.ready
        var failed = 0
        var all = 0
        var storeFailure: Duration?
        var damages: [String] = []
        var lateness = Duration.zero
        var log = HealthRules.WriteAheadLog(bytes: 0)
        var found: [HealthCheck] = []
        let status: HealthStatus
        /// The check that is not healthy.
        var bad: String?
        var testDescription: String { id }
    }

    @Test(arguments: [
        Row(id: "all well", status: .healthy),
        Row(id: "worker starting", worker: .starting, status: .healthy),
        Row(
            id: "worker missing", worker: .missing(.seconds(29)), status: .degraded,
            bad: "worker.user"),
        Row(
            id: "worker missing for long", worker: .missing(.seconds(30)), status: .critical,
            bad: "worker.user"),
        Row(
            id: "worker distrusted", worker: .quarantined("its canary got out"),
            status: .critical, bad: "worker.user"),
        Row(
            id: "worker dies again and again",
            worker: .died(.init(times: 3, last: "ended", at: Instant(seconds: 0))),
            status: .critical, bad: "worker.user"),
        Row(
            id: "worker died once",
            worker: .died(.init(times: 2, last: "ended", at: Instant(seconds: 0))),
            status: .healthy),
        Row(
            id: "worker does not answer",
            worker: .silent(.seconds(7), patience: .seconds(20)), status: .degraded,
            bad: "worker.user"),
        Row(id: "damaged", damages: ["page 7"], status: .critical, bad: "store"),
        Row(id: "few executions say nothing", failed: 9, all: 9, status: .healthy),
        Row(id: "below ten percent", failed: 9, all: 100, status: .healthy),
        Row(id: "ten percent", failed: 1, all: 10, status: .degraded, bad: "maintenance"),
        Row(id: "below half", failed: 49, all: 100, status: .degraded, bad: "maintenance"),
        Row(id: "half", failed: 5, all: 10, status: .critical, bad: "maintenance"),
        Row(
            id: "store refuses", storeFailure: .zero, status: .critical, bad: "store"),
        Row(id: "a large log", log: .init(bytes: 90 << 20, excess: .seconds(9)), status: .healthy),
        Row(
            id: "a log that stays large", log: .init(bytes: 90 << 20, excess: .seconds(10)),
            status: .degraded, bad: "store.wal"),
        Row(id: "a second late", lateness: .seconds(1), status: .healthy),
        Row(id: "later", lateness: .milliseconds(1001), status: .degraded, bad: "loop"),
        Row(
            id: "a health check found",
            found: [HealthCheck(name: "disk", status: .degraded, message: "full")],
            status: .degraded, bad: "disk"),
    ])
    func judgement(row: Row) {
        let facts = HealthRules.Facts(
            workers: [(.user, row.worker)], recentOfSystem: (row.failed, row.all),
            storeFailure: row.storeFailure, damages: row.damages, lateness: row.lateness,
            log: row.log, found: row.found)
        let report = HealthRules.judge(facts)
        #expect(report.system == row.status)
        #expect(report.tasks == .healthy)
        #expect(
            report.checks.filter { $0.status != .healthy }.map(\.name)
                == [row.bad].compactMap { $0 })
        #expect(
            report.checks.map(\.name)
                == ["worker.user", "maintenance", "store", "store.wal", "loop"]
                + row.found.map(\.name)
                + ["tasks"])
        #expect(report.checks.allSatisfy { !$0.message.isEmpty })
    }

    @Test func tasksOfUsersAloneDoNotMakeTheSystemUnwell() {
        let report = HealthRules.judge(HealthRules.Facts(recentOfTasks: (10, 10)))
        #expect(report.system == .healthy)
        #expect(report.tasks == .critical)
        #expect(report.checks.last?.message == "10 of the last 10 attempts failed")
    }

    @Test func logThatStaysLargeSaysWhoHoldsItAndWhatToDo() {
        func message(_ readers: [String]) -> String? {
            let log = HealthRules.WriteAheadLog(
                bytes: 176 << 20, readers: readers, excess: .seconds(40))
            let report = HealthRules.judge(HealthRules.Facts(log: log))
            return report.checks.first { $0.name == "store.wal" }?.message
        }
        #expect(
            message(["process 4711 (sqlite3)"])
                == "the write-ahead log has 176 MiB, more than 64 MiB for 40 s: process 4711 "
                + "(sqlite3) reads from the database, and it cannot be emptied before that ends; "
                + "end it")
        #expect(message([])?.hasSuffix("look for one with \"lsof aico.db-shm\"") == true)
    }

    @Test func twoChecksOfOneNameAreOne() {
        let report = HealthRules.judge(
            HealthRules.Facts(
                workers: [(.user, .ready)],
                found: [
                    HealthCheck(name: "worker.user", status: .critical, message: "bad"),
                    HealthCheck(name: "disk", status: .degraded, message: "full"),
                    HealthCheck(name: "disk", status: .degraded, message: "slow"),
                ]))
        #expect(report.checks.count { $0.name == "worker.user" } == 1)
        #expect(report.checks.first?.status == .critical)
        #expect(report.checks.first { $0.name == "disk" }?.message == "full; slow")
    }

    @Test func wordsSayWhenAWorkerDiedAndFromWhenOnItIsForgotten() {
        func message(_ worker: HealthRules.Worker) -> String? {
            HealthRules.judge(HealthRules.Facts(workers: [(.user, worker)])).checks.first?.message
        }
        let at = Instant(seconds: 1_750_000_000)
        var deaths = HealthRules.Deaths(times: 3, last: "was ended by signal 9", at: at)
        #expect(
            message(.died(deaths))
                == "died 3 times in a row, the last time at 2025-06-15T15:06:40Z (it was ended by "
                + "signal 9) and takes no orders; it is launched again")
        deaths.worksSince = at + .seconds(2)
        deaths.forgottenAt = at + .seconds(62)
        #expect(
            message(.died(deaths))
                == "died 3 times in a row, the last time at 2025-06-15T15:06:40Z (it was ended by "
                + "signal 9), and takes orders again since 2025-06-15T15:06:42Z; healthy again at "
                + "2025-06-15T15:07:42Z unless it dies before")
        deaths.times = 1
        #expect(
            message(.died(deaths))
                == "takes orders again since 2025-06-15T15:06:42Z; died at 2025-06-15T15:06:40Z (it "
                + "was ended by signal 9)")
        #expect(
            message(.silent(.seconds(7), patience: .seconds(20)))
                == "has not answered for 7 s; after 20 s it is killed and launched anew")
    }

    @Test func theWorstDecides() {
        let facts = HealthRules.Facts(
            workers: [(.user, .missing(.zero)), (.agency, .quarantined("why"))],
            lateness: .seconds(5))
        #expect(HealthRules.judge(facts).system == .critical)
        #expect(HealthStatus.healthy < .degraded)
        #expect(HealthStatus.degraded < .critical)
    }
}
