// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Synchronization
import TimeZones

/// Runs episodes of the real core in a simulated world.
public struct Simulator: Sendable {
    /// What a run came to.
    public struct Report: Sendable {
        public var hours = 0
        public var events = 0
        public var faults = 0
        public var hash = TraceHash()
        /// The first violation, and the episode that has it.
        public var violation: (found: Violation, seed: UInt64, hours: Int)?
    }

    /// Virtual hours of one episode.
    public static let episodeHours = 100

    let seed: UInt64
    let zones: [String]
    var mutant: String?

    public init(seed: UInt64, mutant: String? = nil) {
        self.seed = seed
        self.mutant = mutant
        let known = TimeZoneStore.knownNames().sorted()
        zones = known.isEmpty ? ["UTC"] : known
    }

    /// Runs so many hours on so many threads; the order of threads does not show in the hash.
    public func run(hours: Int, threads: Int = 2) -> Report {
        let count = max(1, (hours + Self.episodeHours - 1) / Self.episodeHours)
        let next = Atomic<Int>(0)
        let results = Mutex<[Int: Report]>([:])
        let first = Atomic<Int>(Int.max)
        func work() {
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < count, index < first.load(ordering: .relaxed) else { return }
                let length = min(Self.episodeHours, hours - index * Self.episodeHours)
                let report = episode(seed &+ UInt64(index) &* 0x9E37_79B9, hours: max(4, length))
                if report.violation != nil { first.store(min(index, first.load(ordering: .relaxed)), ordering: .relaxed) }
                results.withLock { $0[index] = report }
            }
        }
        if threads <= 1 { work() } else { Threads.run(threads, work) }
        var all = Report()
        for (_, report) in results.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            all.hours += report.hours
            all.events += report.events
            all.faults += report.faults
            all.hash.add(report.hash.value)
            if let violation = report.violation {
                all.violation = violation
                break
            }
        }
        return all
    }

    func episode(_ seed: UInt64, hours: Int) -> Report {
        var world = World(seed: seed, hours: hours, zones: zones)
        world.mutant = mutant
        world.run()
        var report = Report()
        report.hours = hours
        report.events = world.events
        report.faults = world.faults
        report.hash = world.hash
        report.violation = world.checks.violation.map { ($0, seed, hours) }
        return report
    }

    /// Leaves out as many inputs of an episode as it can with the same check still broken; gives
    /// the lines of what is left and of what the core was told.
    public func shrink(_ seed: UInt64, hours: Int, _ violation: Violation) -> [String] {
        let count = World(seed: seed, hours: hours, zones: zones).inputs.count
        var left: Set<Int> = []
        func breaks(_ without: Set<Int>) -> Bool {
            var world = World(seed: seed, hours: hours, zones: zones, without: without)
            world.mutant = mutant
            world.run()
            return world.checks.violation?.check == violation.check
        }
        var size = max(1, count / 2)
        while size >= 1 {
            var start = 0
            while start < count {
                let more = Set(start..<min(count, start + size)).subtracting(left)
                if !more.isEmpty, breaks(left.union(more)) { left.formUnion(more) }
                start += size
            }
            if size == 1 { break }
            size /= 2
        }
        var world = World(seed: seed, hours: hours, zones: zones, without: left)
        world.mutant = mutant
        world.isTraced = true
        world.run()
        let inputs = world.inputs.map { "input \($0)" }
        let shrunk = world.checks.violation.map { "violation: \($0.check): \($0.what)" } ?? ""
        return inputs.prefix(30) + ["..."] + world.trace.suffix(40) + [shrunk]
    }
}
