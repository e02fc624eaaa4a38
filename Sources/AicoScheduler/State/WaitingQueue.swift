// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore

/// Something due that has not started.
final class Waiting {
    let entry: TaskEntry
    let trigger: ExecutionTrigger
    let plannedAt: Instant
    /// Chosen already where somebody was told of it.
    let executionID: String
    /// The execution whose next attempt this is; nil for a first attempt.
    let retryOf: Run?
    /// The dead letter that is sent back by this.
    let deadLetter: Int64?
    /// Since when resources have held it back.
    var heldSince: Instant?
    /// The reason that stands in the store.
    var recorded: Admission.Deferral?
    fileprivate var order: UInt64 = 0

    init(
        entry: TaskEntry, trigger: ExecutionTrigger, plannedAt: Instant,
        executionID: String = ExecutionID.make(), retryOf: Run? = nil, deadLetter: Int64? = nil
    ) {
        self.entry = entry
        self.trigger = trigger
        self.plannedAt = plannedAt
        self.executionID = executionID
        self.retryOf = retryOf
        self.deadLetter = deadLetter
    }

    /// Whether a person asked for it.
    var isManual: Bool {
        switch trigger {
        case .manual, .deadLetter: true
        case .schedule, .catchUp: false
        }
    }
}

/// What waits, the highest priority first, then the longest planned.
struct WaitingQueue {
    private(set) var items: [Waiting] = []
    private var order: UInt64 = 0

    mutating func insert(_ item: Waiting) {
        order += 1
        item.order = order
        var low = 0
        var high = items.count
        while low < high {
            let middle = (low + high) / 2
            if Self.before(items[middle], item) { low = middle + 1 } else { high = middle }
        }
        items.insert(item, at: low)
    }

    mutating func replace(_ items: [Waiting]) { self.items = items }

    mutating func remove(where isMatch: (Waiting) -> Bool) -> [Waiting] {
        let removed = items.filter(isMatch)
        if !removed.isEmpty { items.removeAll(where: isMatch) }
        return removed
    }

    private static func before(_ left: Waiting, _ right: Waiting) -> Bool {
        let (one, other) = (left.entry.policies.priority, right.entry.policies.priority)
        if one != other { return one > other }
        if left.plannedAt != right.plannedAt { return left.plannedAt < right.plannedAt }
        return left.order < right.order
    }
}

/// Draws execution ids: random lower-case UUIDs (version 4).
enum ExecutionID {
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        for word in [generator.next(), generator.next()] {
            withUnsafeBytes(of: word) { bytes.append(contentsOf: $0) }
        }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(0x2D) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
