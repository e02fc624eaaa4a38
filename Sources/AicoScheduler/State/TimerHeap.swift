// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// A queue of named instants, earliest first; setting a name again moves it.
///
/// Moving leaves the old entry in the heap, to be passed over when it comes up.
struct TimerHeap<Name: Hashable> {
    private struct Entry {
        let at: Instant
        let generation: UInt64
        let name: Name
    }

    private var heap: [Entry] = []
    private var current: [Name: UInt64] = [:]
    private var generation: UInt64 = 0

    /// How many names are set.
    var count: Int { current.count }

    /// Sets a name's instant, or unsets it.
    mutating func set(_ name: Name, at instant: Instant?) {
        guard let instant else {
            current[name] = nil
            return
        }
        generation += 1
        current[name] = generation
        heap.append(Entry(at: instant, generation: generation, name: name))
        siftUp(heap.count - 1)
        if heap.count > 64, heap.count > current.count * 4 { rebuild() }
    }

    /// The earliest instant.
    var earliest: Instant? {
        mutating get {
            dropStale()
            return heap.first?.at
        }
    }

    /// Takes the earliest name whose instant is not later than `now`.
    mutating func pop(dueAt now: Instant) -> (name: Name, at: Instant)? {
        dropStale()
        guard let first = heap.first, first.at <= now else { return nil }
        removeFirst()
        current[first.name] = nil
        return (first.name, first.at)
    }

    private mutating func dropStale() {
        while let first = heap.first, current[first.name] != first.generation { removeFirst() }
    }

    private mutating func rebuild() {
        heap = heap.filter { current[$0.name] == $0.generation }.sorted { before($0, $1) }
    }

    private func before(_ left: Entry, _ right: Entry) -> Bool {
        left.at != right.at ? left.at < right.at : left.generation < right.generation
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [parent * 2 + 1, parent * 2 + 2] where child < heap.count {
                if before(heap[child], heap[least]) { least = child }
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard before(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }
}
