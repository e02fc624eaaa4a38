// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// What the scheduler counts about itself since its start.
struct Metrics {
    private(set) var turns = 0
    private(set) var busy = Duration.zero
    private var latencies: Ring<Duration>
    private var failures = Ring<Bool>(capacity: 100)

    /// Remembers so many latencies.
    init(remembered: Int) { latencies = Ring(capacity: remembered) }

    mutating func count(turn: Duration) {
        turns += 1
        busy += turn
    }

    /// Counts the time from due to the task's first instruction.
    mutating func count(latency: Duration) { latencies.append(max(.zero, latency)) }

    /// Counts an attempt's outcome; what was asked for is no failure.
    mutating func count(outcome: Outcome.Kind) {
        switch outcome {
        case .succeeded: failures.append(false)
        case .failedTransient, .failedPermanent, .timedOut, .killed: failures.append(true)
        case .cancelled, .interrupted: break
        }
    }

    /// Failed and all attempts that ended lately.
    var recent: (failed: Int, all: Int) {
        (failures.elements.count { $0 }, failures.elements.count)
    }

    /// The worst latency of late.
    var lateness: Duration { latencies.latest(100).max() ?? .zero }

    /// Percentiles of the latencies; nil where there are none.
    var latency: (p50: Duration, p99: Duration, maximum: Duration)? {
        let sorted = latencies.elements.sorted()
        guard let last = sorted.last else { return nil }
        return (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100], last)
    }
}

/// The last so many values.
struct Ring<Element> {
    private(set) var elements: [Element] = []
    private let capacity: Int
    private var next = 0

    init(capacity: Int) { self.capacity = capacity }

    /// The last so many, newest last.
    func latest(_ count: Int) -> [Element] {
        // Before `next` stands what came last; what is older ends the array.
        elements[next...].suffix(max(0, count - next)) + elements[..<next].suffix(count)
    }

    mutating func append(_ element: Element) {
        if elements.count < capacity {
            elements.append(element)
        } else {
            elements[next] = element
            next = (next + 1) % capacity
        }
    }
}
