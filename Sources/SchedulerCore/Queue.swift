// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import HeapModule

/// What waits for a place, by worker and by what may hold it back.
///
/// An entry whose execution left the queue some other way stays, to be passed over when it comes
/// up: its ticket is no longer the execution's.
struct Queue: Sendable {
    /// What the machine's load means to an entry.
    enum Lane: Int, Sendable, CaseIterable {
        /// Nothing: somebody asked for it, or it waited long enough, or it has begun.
        case exempt
        /// A busy machine holds it back.
        case normal
        /// Only an idle machine runs it.
        case idle
    }

    /// One execution's place in the queue; the smallest runs first.
    struct Entry: Comparable, Sendable {
        let priority: Int
        let plannedAt: Instant
        let ticket: UInt64
        let execution: String

        static func < (left: Entry, right: Entry) -> Bool {
            if left.priority != right.priority { return left.priority > right.priority }
            if left.plannedAt != right.plannedAt { return left.plannedAt < right.plannedAt }
            return left.ticket < right.ticket
        }

        static func == (left: Entry, right: Entry) -> Bool { left.ticket == right.ticket }
    }

    /// One for each worker's lane, and behind them those of types that no worker has.
    private var heaps: [Heap<Entry>]
    private let workers: Int
    private var ticket: UInt64 = 0

    init(workers: Int) {
        self.workers = workers
        heaps = Array(repeating: Heap(), count: (workers + 1) * Lane.allCases.count)
    }

    private func index(_ number: Int, _ lane: Lane) -> Int {
        number * Lane.allCases.count + lane.rawValue
    }

    /// Puts an execution in; gives its ticket.
    mutating func insert(_ execution: Execution, priority: Int, lane: Lane) -> UInt64 {
        ticket += 1
        let number = execution.workerNumber.map(Int.init) ?? workers
        heaps[index(number, lane)].insert(
            Entry(
                priority: priority, plannedAt: execution.plannedAt, ticket: ticket,
                execution: execution.id))
        return ticket
    }

    /// Drops entries of a lane that `isPresent` says are passed over anyway, where it has more than
    /// `most`: those of a worker that is long away never come up.
    mutating func tidy(
        _ worker: UInt8?, _ lane: Lane, beyond most: Int, keeping isPresent: (Entry) -> Bool
    ) {
        let index = index(worker.map(Int.init) ?? workers, lane)
        guard heaps[index].count > most else { return }
        heaps[index] = Heap(heaps[index].unordered.filter(isPresent))
    }

    /// How many entries there are, with those that are passed over.
    var count: Int { heaps.reduce(0) { $0 + $1.count } }

    /// The first of a worker's lane.
    func first(of worker: WorkerID, _ lane: Lane) -> Entry? {
        heaps[index(worker.number, lane)].min
    }

    /// Takes the first of a worker's lane.
    mutating func removeFirst(of worker: WorkerID, _ lane: Lane) -> Entry? {
        heaps[index(worker.number, lane)].popMin()
    }

    /// Takes the first of several lanes of several workers.
    mutating func removeFirst(of places: [(WorkerID, Lane)]) -> Entry? {
        var best: (entry: Entry, index: Int)?
        for (worker, lane) in places {
            let index = index(worker.number, lane)
            guard let entry = heaps[index].min else { continue }
            if let known = best, known.entry < entry { continue }
            best = (entry, index)
        }
        guard let best else { return nil }
        return heaps[best.index].popMin()
    }
}
