// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import HeapModule

/// The earliest instants of many tasks, each of which gives its own one after the other.
///
/// Of how many instants are asked, only as many tasks with the earliest first ones can have any: no
/// others are kept, and no instant is looked for that is not shown.
struct UpcomingExecutions<Source: Sendable>: Sendable {
    /// A task's next instant, and what gives those after it.
    private struct Entry: Comparable, Sendable {
        let at: Instant
        let task: String
        let source: Source

        static func < (left: Entry, right: Entry) -> Bool {
            left.at != right.at ? left.at < right.at : left.task < right.task
        }

        static func == (left: Entry, right: Entry) -> Bool {
            left.at == right.at && left.task == right.task
        }
    }

    private let count: Int
    private var heap = Heap<Entry>()

    /// Keeps as many tasks as instants are to be shown.
    init(count: Int) { self.count = count }

    /// Whether a task that runs first at a time has any chance to be shown.
    func takes(_ at: Instant) -> Bool {
        guard heap.count >= count, let last = heap.max else { return true }
        return at <= last.at
    }

    /// Takes a task with its first instant.
    mutating func add(_ task: String, at: Instant, _ source: Source) {
        heap.insert(Entry(at: at, task: task, source: source))
        if heap.count > count { heap.removeMax() }
    }

    /// Gives the earliest instants in their order; `next` gives a task's first one after another.
    consuming func merged(
        _ next: (Source, Instant) -> Instant?
    ) -> [(at: Instant, task: String)] {
        var found: [(at: Instant, task: String)] = []
        while found.count < count, let first = heap.popMin() {
            found.append((first.at, first.task))
            guard found.count < count, let at = next(first.source, first.at) else { continue }
            heap.insert(Entry(at: at, task: first.task, source: first.source))
        }
        return found
    }
}
