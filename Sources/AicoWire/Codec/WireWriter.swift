// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Appends little-endian values to a frame; the mirror of `WireReader`.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) {
        bytes.reserveCapacity(capacity)
        bytes.append(WireLimits.version)
    }

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func integer<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes a text, cut to `limit` bytes at a scalar's end.
    mutating func text(_ value: String, limit: Int = WireLimits.maximumStringBytes) {
        var value = value
        value.withUTF8 { utf8 in
            var count = min(utf8.count, limit)
            if count < utf8.count {
                while count > 0, utf8[count] & 0xC0 == 0x80 { count -= 1 }
            }
            integer(UInt32(count))
            bytes.append(contentsOf: utf8[..<count])
        }
    }

    /// Writes bytes as they are; the caller has checked their length.
    mutating func blob(_ value: [UInt8]) {
        integer(UInt32(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value)
    }

    /// Writes nanoseconds; durations beyond 292 years are held to that.
    mutating func duration(_ value: Duration) {
        let (seconds, attoseconds) = value.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowToo) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        integer(overflow || overflowToo ? (seconds < 0 ? 0 : Int64.max) : max(0, sum))
    }

    /// Writes a presence byte, then the value where there is one.
    mutating func optional<Value>(_ value: Value?, _ write: (inout WireWriter, Value) -> Void) {
        byte(value == nil ? 0 : 1)
        if let value { write(&self, value) }
    }

    /// Writes a count byte, then up to `WireLimits.maximumListCount` elements.
    mutating func list<Element>(
        _ elements: [Element], _ write: (inout WireWriter, Element) -> Void
    ) {
        let kept = elements.prefix(WireLimits.maximumListCount)
        byte(UInt8(kept.count))
        for element in kept { write(&self, element) }
    }
}
