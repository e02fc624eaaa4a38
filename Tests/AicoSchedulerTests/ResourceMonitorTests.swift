// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Foundation
import SchedulerCore
import Testing

@testable import AicoScheduler

/// What the monitor makes of the kernel's counters.
@Suite struct ResourceMonitorTests {
    private final class Files {
        let path = "/tmp/aico-proc-\(UInt32.random(in: 0...UInt32.max))"

        init() throws {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }

        /// The first fields of `/proc/stat` as ticks.
        func count(
            user: Int = 0, system: Int = 0, idle: Int = 0, ioWait: Int = 0, steal: Int = 0
        ) throws {
            try write(
                "stat", "cpu  \(user) 0 \(system) \(idle) \(ioWait) 0 0 \(steal) 0 0\ncpu0 9 9 9\n")
        }

        func remember(total: Int, available: Int) throws {
            try write(
                "meminfo",
                "MemTotal:  \(total) kB\nMemFree:  1 kB\nMemAvailable:  \(available) kB\n")
        }
    }

    private let files: Files

    init() throws {
        files = try Files()
        try files.remember(total: 1000, available: 250)
    }

    private func known(_ cpu: Double, _ memory: Double) -> MachineLoad {
        .known(Admission.Load(cpu: cpu, memory: memory))
    }

    @Test func aLoadIsWhatCameToPassBetweenTwoLooks() throws {
        try files.count(user: 1000, idle: 1000)
        let monitor = ProcResourceMonitor(directory: files.path, now: .seconds(100))
        try files.count(user: 1030, system: 10, idle: 1040, ioWait: 20)
        #expect(monitor.load(at: .seconds(100) + .milliseconds(59)) == .notYet)
        #expect(monitor.load(at: .seconds(100) + .milliseconds(60)) == known(40, 75))
        // The next look is a second later, and of that second alone.
        try files.count(user: 1130, system: 10, idle: 1040, ioWait: 20)
        try files.remember(total: 1000, available: 900)
        #expect(monitor.load(at: .seconds(101)) == known(40, 75))
        #expect(monitor.load(at: .seconds(101) + .milliseconds(60)) == known(100, 10))
        // What other guests took is nobody's work and nobody's rest.
        try files.count(user: 1140, system: 10, idle: 1070, ioWait: 20, steal: 500)
        #expect(monitor.load(at: .seconds(103)) == known(25, 10))
    }

    /// Counters that stand still, or go back as when a processor is taken away, say nothing.
    @Test func countersThatDoNotGoOnChangeNothing() throws {
        try files.count(user: 1000, idle: 1000)
        let monitor = ProcResourceMonitor(directory: files.path, now: .zero)
        #expect(monitor.load(at: .seconds(1)) == .notYet)
        try files.count(user: 500, idle: 900)
        #expect(monitor.load(at: .seconds(2)) == .notYet)
        try files.count(user: 550, idle: 950)
        #expect(monitor.load(at: .seconds(3)) == known(50, 75))
        try files.count(user: 540, idle: 1950)
        #expect(monitor.load(at: .seconds(4)) == known(50, 75))
    }

    @Test(arguments: ["", "cpu", "cpu 1 2 3", "intr 1 2 3 4 5 6 7"])
    func whatIsNoStatIsUnknowable(text: String) throws {
        try files.write("stat", text)
        let monitor = ProcResourceMonitor(directory: files.path, now: .zero)
        #expect(monitor.load(at: .milliseconds(10)) == .unknowable)
        // Until there is one: its first look says nothing yet of the load.
        try files.count(user: 1000, idle: 1000)
        #expect(monitor.load(at: .seconds(2)) == .unknowable)
        try files.count(user: 1010, idle: 1030)
        #expect(monitor.load(at: .seconds(3)) == known(25, 75))
    }

    @Test(arguments: [
        "", "MemTotal: 1000 kB\n", "MemAvailable: 10 kB\n",
        "MemTotal: 0 kB\nMemAvailable: 0 kB\n", "MemTotal: x\nMemAvailable: y\n",
    ])
    func whatIsNoMemoryIsUnknowable(text: String) throws {
        try files.write("meminfo", text)
        try files.count(user: 1000, idle: 1000)
        let monitor = ProcResourceMonitor(directory: files.path, now: .zero)
        try files.count(user: 1010, idle: 1030)
        #expect(monitor.load(at: .seconds(1)) == .unknowable)
    }

    @Test func whatWasKnownStaysWhileNothingCanBeRead() throws {
        try files.count(user: 1000, idle: 1000)
        let monitor = ProcResourceMonitor(directory: files.path, now: .zero)
        try files.count(user: 1010, idle: 1030)
        #expect(monitor.load(at: .seconds(1)) == known(25, 75))
        try files.write("stat", "")
        #expect(monitor.load(at: .seconds(3)) == known(25, 75))
    }

    @Test func thisMachineHasALoad() {
        let monitor = ProcResourceMonitor(now: .zero)
        for second in 1...10_000 {
            guard case .known(let load) = monitor.load(at: .seconds(second)) else { continue }
            #expect((0...100).contains(load.cpu) && (0...100).contains(load.memory))
            return
        }
        Issue.record("no load is known")
    }
}
