// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import HeapModule

/// A queue of named times, earliest first; setting a name again moves it.
///
/// Moving leaves the old entry in the heap, to be passed over when it comes up.
struct Timers<Name: Hashable & Sendable, When: Comparable & Sendable>: Sendable {
    fileprivate struct Entry: Comparable, Sendable {
        let at: When
        let generation: UInt64
        let name: Name

        static func < (left: Entry, right: Entry) -> Bool {
            left.at != right.at ? left.at < right.at : left.generation < right.generation
        }

        static func == (left: Entry, right: Entry) -> Bool { left.generation == right.generation }
    }

    private var heap = Heap<Entry>()
    fileprivate var current = PartedDictionary<Name, Entry>()
    private var generation: UInt64 = 0
    /// Whether the heap's first entry is known to be a name's present one.
    private var isTidy = true

    /// How many names are set.
    var count: Int { current.count }

    /// Sets a name's time, or unsets it.
    mutating func set(_ name: Name, at time: When?) {
        isTidy = false
        guard let time else {
            current[name] = nil
            return
        }
        generation += 1
        let entry = Entry(at: time, generation: generation, name: name)
        current[name] = entry
        heap.insert(entry)
        if heap.count > 64, heap.count > current.count * 4 { heap = Heap(current.values) }
    }

    /// A name's time; nil where it is not set.
    func time(of name: Name) -> When? { current[name]?.at }

    /// The names whose time is not later than `time`.
    func names(dueAt time: When) -> [Name] {
        current.values.filter { $0.at <= time }.sorted().map(\.name)
    }

    /// The earliest time.
    var earliest: When? {
        mutating get {
            dropStale()
            return heap.min?.at
        }
    }

    /// Takes the earliest name whose time is not later than `now`.
    mutating func pop(dueAt now: When) -> (name: Name, at: When)? {
        dropStale()
        guard let first = heap.min, first.at <= now else { return nil }
        heap.removeMin()
        isTidy = false
        current[first.name] = nil
        return (first.name, first.at)
    }

    private mutating func dropStale() {
        // Asked for in every turn of the loop, and changed in few.
        if isTidy { return }
        isTidy = true
        while let first = heap.min, current[first.name]?.generation != first.generation {
            heap.removeMin()
        }
    }
}

extension Timers where When == Duration {
    /// Moves all times; what the fault of time-outs on the wall clock does.
    mutating func shift(by time: Duration) {
        for (name, entry) in current { set(name, at: entry.at + time) }
    }
}

/// What a time-out of the boot clock is for.
enum BootTimer: Hashable, Sendable {
    /// An execution's next attempt.
    case retry(String)
    /// An attempt's worker did not end it in time.
    case backstop(AttemptKey)
    /// The machine has held an execution back for as long as its task permits.
    case maximumDefer(String)
    /// The machine is to be looked at again.
    case resources
    /// A worker did not answer the ping of its launch.
    case ping(WorkerID)
    /// A class's canary did not end in its time.
    case canary(WorkerID)
    /// A worker is to be asked for a sign of life.
    case heartbeat(WorkerID)
    /// A worker did not give one.
    case silence(WorkerID)
    /// The store is to be tried again.
    case store
    /// Changes that could wait for others waited long enough.
    case waitingWrites
    /// Running attempts had their time to end.
    case stop
    /// Counted audit lines are to be written.
    case audit
    /// The store may take this boot's id now.
    case boot
}
