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
        var lateness = Duration.zero
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
            id: "worker distrusted", worker: .distrusted("its canary got out"),
            status: .critical, bad: "worker.user"),
        Row(id: "few executions say nothing", failed: 9, all: 9, status: .healthy),
        Row(id: "below ten percent", failed: 9, all: 100, status: .healthy),
        Row(id: "ten percent", failed: 1, all: 10, status: .degraded, bad: "executions"),
        Row(id: "below half", failed: 49, all: 100, status: .degraded, bad: "executions"),
        Row(id: "half", failed: 5, all: 10, status: .critical, bad: "executions"),
        Row(
            id: "store refuses", storeFailure: .zero, status: .critical, bad: "store"),
        Row(id: "a second late", lateness: .seconds(1), status: .healthy),
        Row(id: "later", lateness: .milliseconds(1001), status: .degraded, bad: "loop"),
        Row(
            id: "a health check found",
            found: [HealthCheck(name: "disk", status: .degraded, message: "full")],
            status: .degraded, bad: "disk"),
    ])
    func judgement(row: Row) {
        let facts = HealthRules.Facts(
            workers: [(.user, row.worker)], recent: (row.failed, row.all),
            storeFailure: row.storeFailure, lateness: row.lateness, found: row.found)
        let (status, checks) = HealthRules.judge(facts)
        #expect(status == row.status)
        #expect(checks.filter { $0.status != .healthy }.map(\.name) == [row.bad].compactMap { $0 })
        #expect(
            checks.map(\.name)
                == ["worker.user", "executions", "store", "loop"] + row.found.map(\.name))
        #expect(checks.allSatisfy { !$0.message.isEmpty })
    }

    @Test func theWorstDecides() {
        let facts = HealthRules.Facts(
            workers: [(.user, .missing(.zero)), (.agency, .distrusted("why"))],
            lateness: .seconds(5))
        #expect(HealthRules.judge(facts).status == .critical)
        #expect(HealthStatus.healthy < .degraded)
        #expect(HealthStatus.degraded < .critical)
    }
}
