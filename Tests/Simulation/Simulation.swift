// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import SchedulerCore
import AicoCore
import Glibc
import Synchronization
import TimeZones

/// What a number of virtual hours came to.
package struct Summary: Sendable {
    /// Hours that were simulated.
    package var hours = 0
    /// Events that cores took.
    package var events = 0
    /// Faults that were injected or answered.
    package var faults = 0
    /// Sums up all that happened.
    package var hash = TraceHash()
    /// The first violation, with the episode that it is of.
    package var failure: (episode: Int, at: Int, Violation)?

    /// Adds what the next episode came to.
    mutating func add(_ part: Summary) {
        hours += part.hours
        events += part.events
        faults += part.faults
        hash.mix(part.hash.value)
        failure = failure ?? part.failure
    }

    /// The last line of what is printed.
    package var line: String {
        "simulated \(hours) h, \(events) events, \(faults) faults, "
            + "\(failure == nil ? 0 : 1) violations, trace \(hash)"
    }
}

/// A run of so many virtual hours that a seed decides, in episodes of their own seeds.
package struct Simulation: Sendable {
    /// The seed.
    package let seed: UInt64
    /// All hours.
    package let hours: Int
    /// The fault that is planted into the core; nil is none.
    package let mutant: Mutant?
    /// The real store in all episodes, not in some alone.
    let isStoreReal: Bool
    let zones: [ZoneRules]
    /// How long each episode is, in hours.
    let lengths: [Int]

    /// Makes a run.
    package init(seed: UInt64, hours: Int, mutant: Mutant? = nil, isStoreReal: Bool = false) {
        self.seed = seed
        self.hours = hours
        self.mutant = mutant
        self.isStoreReal = isStoreReal
        zones = Self.loadZones()
        var random = Randomness(seed, 100)
        var left = hours
        var lengths: [Int] = []
        while left > 0 {
            let length = min(left, 50 + random.below(151))
            lengths.append(length)
            left -= length
        }
        self.lengths = lengths
    }

    /// All zones of the host's database, sorted; UTC alone where there is none.
    private static func loadZones() -> [ZoneRules] {
        var zones = [ZoneRules.utc]
        for name in Set(TimeZoneStore.knownNames()).sorted() {
            if let zone = try? TimeZoneStore.load(name) { zones.append(zone) }
        }
        return zones
    }

    /// The scenario of one episode.
    func scenario(_ episode: Int) -> Scenario {
        var random = Randomness(seed, 101, UInt64(episode))
        return Scenario(
            seed: random.next(), length: .hours(Int64(lengths[episode])), zones: zones)
    }

    private struct Progress {
        var next = 0
        var worlds: [Int: Summary] = [:]
        var failed: Int?
        /// The episodes that are over without a gap, and what they come to.
        var counted = 0
        var sum = Summary()
        var told = 0

        /// Adds up what is there now; gives the sum each time it has grown by so many hours.
        mutating func add(_ part: Summary, of episode: Int, every hours: Int) -> Summary? {
            worlds[episode] = part
            if part.failure != nil { failed = min(failed ?? episode, episode) }
            while sum.failure == nil, let part = worlds.removeValue(forKey: counted) {
                sum.add(part)
                counted += 1
            }
            guard sum.hours - told >= hours else { return nil }
            told = sum.hours
            return sum
        }
    }

    /// Plays all episodes from one on, on so many threads; stops at a violation.
    ///
    /// - Parameter tell: is given what was played so far, every 10,000 hours.
    package func run(
        from first: Int = 0, threads: Int = 2, tell: (@Sendable (Summary) -> Void)? = nil
    ) -> Summary {
        let progress = Mutex(Progress(next: first, counted: first))
        let work: @Sendable () -> Void = {
            while true {
                let episode = progress.withLock { progress -> Int? in
                    guard progress.failed == nil, progress.next < lengths.count else { return nil }
                    progress.next += 1
                    return progress.next - 1
                }
                guard let episode else { return }
                let part = play(episode)
                progress.withLock { progress in
                    if let sum = progress.add(part, of: episode, every: 10_000) { tell?(sum) }
                }
            }
        }
        Threads.run(threads, work)
        return progress.withLock { $0.sum }
    }

    /// Every fortieth has the real store: it takes a hundred times the model's time.
    func world(_ episode: Int, inputs: [TimedInput]? = nil) -> World {
        var real: RealStore?
        if isStoreReal || episode % 40 == 19 {
            real = RealStore()
            precondition(real != nil, "no directory can be made for a store")
        }
        return World(scenario(episode), inputs: inputs, mutant: mutant, real: real)
    }

    func play(_ episode: Int) -> Summary {
        var world = world(episode)
        world.run()
        var part = Summary()
        part.hours = lengths[episode]
        part.events = world.events
        part.faults = world.faults
        part.hash = world.hash
        if let violation = world.judge.violation {
            part.hours = Int(world.now.microseconds / Span.hours(1).microseconds)
            part.failure = (episode, part.hours, violation)
        }
        return part
    }
}
