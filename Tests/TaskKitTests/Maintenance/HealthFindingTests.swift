// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Glibc
import Testing

@testable import MaintenanceTasks

@Suite struct HealthFindingTests {
    @Test(arguments: [
        (10.0, HealthStatus.healthy), (19.9, .healthy), (20, .degraded), (29.9, .degraded),
        (30, .critical), (1000, .critical),
    ])
    func highNumbersAreJudgedAtTheirLimits(value: Double, expected: HealthStatus) {
        #expect(Threshold(degraded: 20, critical: 30).judgeHigh(value) == expected)
    }

    @Test(arguments: [
        (50.0, HealthStatus.healthy), (10, .healthy), (9.9, .degraded), (3, .degraded),
        (2.9, .critical), (0, .critical),
    ])
    func lowNumbersAreJudgedAtTheirLimits(value: Double, expected: HealthStatus) {
        #expect(Threshold(degraded: 10, critical: 3).judgeLow(value) == expected)
    }

    @Test func theWorstFindingIsTheStatus() {
        let findings = HealthStatus.allCases.map { Finding("a", $0, "") }
        #expect(findings.worst == .critical)
        #expect(findings.dropLast().map { $0 }.worst == .degraded)
        #expect([Finding]().worst == .healthy)
    }

    @Test func workersAreJudgedByNameAndState() {
        let answer: JSONValue = [
            "workers": [
                ["name": "aico-worker-maintenance", "state": "running", "restarts": 0],
                ["name": "aico-worker-security", "state": "starting", "restarts": 3],
                ["name": "aico-worker-agency", "state": "stopped"],
                ["name": "acme-worker-agency", "state": "running"],
            ]
        ]
        let findings = WorkerFindings.judge(answer)
        #expect(
            findings.map(\.name) == [
                "worker.maintenance", "worker.security", "worker.agency", "worker.user",
                "worker.acme-worker-agency",
            ])
        #expect(findings.map(\.status) == [.healthy, .degraded, .critical, .critical, .healthy])
        #expect(findings[1].message.contains("3 times"))
    }

    @Test(
        arguments: [
            [:], ["workers": 7], ["workers": ["maintenance"]], ["workers": [["state": "running"]]],
        ] as [JSONValue])
    func anAnswerThatSaysNothingOfWorkersIsDegraded(answer: JSONValue) {
        let findings = WorkerFindings.judge(answer)
        #expect(findings.worst == .degraded)
        #expect(findings.count == 1)
    }

    @Test func aWorkerWithoutStateIsDegraded() {
        let findings = WorkerFindings.judge(["workers": [["name": "aico-worker-user"]]])
        #expect(findings.first { $0.name == "worker.user" }?.status == .degraded)
    }

    @Test func meminfoIsRead() {
        let text = "MemTotal:       1000 kB\nMemFree:  5 kB\nMemAvailable:    250 kB\n"
        let reading = MemoryReading(meminfo: text)
        #expect(reading?.total == 1_024_000)
        #expect(reading?.availablePercent == 25)
    }

    @Test(arguments: [
        "", "MemTotal: 1000 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n",
        "MemTotal: 10 kB\nMemAvailable: 11 kB\n", "MemTotal: x kB\nMemAvailable: 1 kB\n",
        "MemTotal: 10 MB\nMemAvailable: 1 MB\n",
        "MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB\n",
    ])
    func otherTextIsNotMeminfo(text: String) {
        #expect(MemoryReading(meminfo: text) == nil)
    }

    @Test func pressureIsRead() {
        let text = """
            some avg10=1.00 avg60=12.50 avg300=0.00 total=7
            full avg10=0.00 avg60=3.25 avg300=0.00 total=5

            """
        #expect(MemoryPressure(text)?.some == 12.5)
        #expect(MemoryPressure(text)?.full == 3.25)
        for bad in ["", "some avg60=1.0", "some avg60=101\nfull avg60=1", "some\nfull"] {
            #expect(MemoryPressure(bad) == nil)
        }
    }

    @Test func memoryIsJudgedFromAProcOfTheTestsOwn() throws {
        let scratch = try StoreScratch()
        let probe = MemoryProbe(
            available: Threshold(degraded: 10, critical: 5),
            pressure: Threshold(degraded: 20, critical: 20), proc: scratch.path)
        #expect(probe.findings().map(\.status) == [.degraded])
        try scratch.write("meminfo", "MemTotal: 1000 kB\nMemAvailable: 40 kB\n")
        #expect(probe.findings().map(\.status) == [.critical])
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/pressure", withIntermediateDirectories: false)
        for (some, full, expected) in [
            (1.0, 1.0, HealthStatus.healthy), (25, 1, .degraded), (25, 21, .critical),
        ] {
            try scratch.write("pressure/memory", "some avg60=\(some)\nfull avg60=\(full)\n")
            #expect(probe.findings().last?.status == expected)
        }
        try scratch.write("pressure/memory", "nonsense")
        #expect(probe.findings().last?.status == .degraded)
    }

    @Test(
        arguments: [
            (50, HealthStatus.healthy), (9, .degraded), (2, .critical),
        ] as [(UInt, HealthStatus)])
    func diskSpaceIsJudgedAsOthersThanRootSeeIt(
        availablePercent: UInt, expected: HealthStatus
    ) {
        var status = statvfs()
        status.f_frsize = 4096
        status.f_blocks = 1_100_000
        status.f_bavail = availablePercent * 10_000
        status.f_bfree = status.f_bavail + 100_000
        let probe = DiskProbe(
            name: "logs", path: "/", free: Threshold(degraded: 10, critical: 3),
            minimumFreeBytes: 0)
        let finding = probe.space(status)
        #expect(finding.status == expected)
        #expect(finding.value == Double(availablePercent))
        var strict = probe
        strict.minimumFreeBytes = 1 << 40
        #expect(strict.space(status).status == .critical)
    }

    /// As a file system over a network, or of a program, may say.
    @Test func diskSpaceThatCannotBeIsJudgedAsItIsSaid() {
        let probe = DiskProbe(
            name: "logs", path: "/", free: Threshold(degraded: 10, critical: 3),
            minimumFreeBytes: 0)
        var status = statvfs()
        status.f_frsize = 4096
        status.f_blocks = 100
        status.f_bfree = 200
        #expect(probe.space(status).value == nil)
        status.f_bavail = 200
        #expect(probe.space(status).value == 100)
        status.f_blocks = .max
        status.f_bfree = .max / 2
        status.f_bavail = .max / 2
        #expect(probe.space(status).value == 50)
        status.f_frsize = .max
        #expect(
            probe.space(status).message
                == "18446744073709551615 of 18446744073709551615 MiB are free")
    }

    @Test func fewInodesAreNamed() {
        var status = statvfs()
        let probe = DiskProbe(
            name: "logs", path: "/", free: Threshold(degraded: 10, critical: 3),
            minimumFreeBytes: 0)
        #expect(probe.inodes(status) == nil)
        status.f_files = 100
        status.f_favail = 50
        #expect(probe.inodes(status) == nil)
        status.f_favail = 1
        #expect(probe.inodes(status)?.status == .critical)
    }

    @Test func aDirectoryThatIsNotThereIsDegraded() throws {
        let probe = DiskProbe(
            name: "logs", path: "/nowhere/at/all", free: Threshold(degraded: 10, critical: 3),
            minimumFreeBytes: 0)
        #expect(probe.findings().map(\.status) == [.degraded])
    }
}
