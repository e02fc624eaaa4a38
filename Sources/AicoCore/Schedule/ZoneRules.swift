// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A time zone: its recorded offset changes and the rule for the time after them.
package struct ZoneRules: Sendable, Hashable {
    /// The IANA name, as `Europe/Berlin`.
    package let name: String
    /// The offset before the first change, in seconds east of UTC.
    let initialOffset: Int64
    /// Seconds since the epoch at which the offset changes, ascending.
    let changes: [Int64]
    /// The offset from the change of the same index on.
    let offsets: [Int64]
    /// The rule after the last change; nil keeps the last offset.
    let rule: ZoneRule?

    /// Makes a zone from changes in ascending order; those that change nothing are dropped.
    init(
        name: String, initialOffset: Int64, changes: [(at: Int64, offset: Int64)],
        rule: ZoneRule?
    ) {
        self.name = name
        self.initialOffset = initialOffset
        self.rule = rule
        var times: [Int64] = []
        var offsets: [Int64] = []
        for change in changes where change.offset != offsets.last ?? initialOffset {
            times.append(change.at)
            offsets.append(change.offset)
        }
        self.changes = times
        self.offsets = offsets
    }

    /// Coordinated Universal Time.
    package static let utc = ZoneRules(name: "UTC", initialOffset: 0, changes: [], rule: nil)

    /// Gives the offset at an instant, in seconds east of UTC.
    package func offset(at instant: Instant) -> Int {
        Int(segment(at: instant.seconds).offset)
    }

    /// Gives what clocks of the zone show at an instant.
    package func civilTime(at instant: Instant) -> CivilTime {
        CivilTime(secondsSinceEpoch: instant.seconds + Int64(offset(at: instant)))
    }

    /// Finds the span of constant offset that holds a second.
    @inline(__always)
    func segment(at second: Int64) -> ZoneSegment {
        guard let last = changes.last else {
            guard let rule else { return ZoneSegment(offset: initialOffset) }
            return rule.segment(at: second)
        }
        guard second < last else {
            let before = offsets.count > 1 ? offsets[offsets.count - 2] : initialOffset
            guard let rule else {
                return ZoneSegment(
                    start: last, end: .max, offset: offsets[offsets.count - 1],
                    previousOffset: before)
            }
            var segment = rule.segment(at: second)
            if segment.start <= last {
                segment.start = last
                segment.previousOffset = before
            }
            return segment
        }
        var low = 0
        var high = changes.count - 1
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= second { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else {
            return ZoneSegment(
                start: .min, end: changes[0], offset: initialOffset,
                previousOffset: initialOffset)
        }
        return ZoneSegment(
            start: changes[low - 1], end: changes[low], offset: offsets[low - 1],
            previousOffset: low > 1 ? offsets[low - 2] : initialOffset)
    }
}

/// A span of time in which a zone's offset does not change.
struct ZoneSegment: Equatable {
    /// The first second; `Int64.min` without a beginning.
    var start = Int64.min
    /// The first second after; `Int64.max` without an end.
    var end = Int64.max
    /// Seconds east of UTC.
    var offset: Int64
    /// The offset of the span before.
    var previousOffset: Int64

    init(start: Int64, end: Int64, offset: Int64, previousOffset: Int64) {
        self.start = start
        self.end = end
        self.offset = offset
        self.previousOffset = previousOffset
    }

    init(offset: Int64) {
        self.offset = offset
        previousOffset = offset
    }
}
