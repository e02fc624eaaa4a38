// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Says why bytes are not a time zone.
package struct ZoneDataError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The zone's name.
    package let zone: String
    /// What is wrong with its data, in words.
    package let reason: String

    /// The zone and the reason.
    package var description: String { "cannot read time zone \"\(zone)\": \(reason)" }
}

extension ZoneRules {
    /// Reads a TZif file of version 1 to 4. Source: RFC 9636.
    package init(name: String, tzif bytes: [UInt8]) throws(ZoneDataError) {
        var reader = TZifReader(name: name, bytes: bytes)
        var header = try reader.header()
        var wide = false
        if header.version >= 2 {
            try reader.skip(header.blockSize(timeSize: 4))
            header = try reader.header()
            wide = true
        }
        let block = try reader.block(header, wide: wide)
        var rule: ZoneRule?
        if wide {
            let footer = try reader.footer()
            if !footer.isEmpty {
                guard let parsed = ZoneRule(posix: footer) else {
                    throw ZoneDataError(
                        zone: name, reason: "its rule \"\(footer)\" is malformed")
                }
                rule = parsed
            }
        }
        self.init(
            name: name, initialOffset: block.initialOffset, changes: block.changes, rule: rule)
    }
}

/// Reads the parts of a TZif file in their order.
private struct TZifReader {
    let name: String
    let bytes: [UInt8]
    var position = 0

    struct Header {
        let version: Int
        let utIndicators: Int
        let standardIndicators: Int
        let leapSeconds: Int
        let times: Int
        let types: Int
        let abbreviationBytes: Int

        func blockSize(timeSize: Int) -> Int {
            times * (timeSize + 1) + types * 6 + abbreviationBytes
                + leapSeconds * (timeSize + 4) + standardIndicators + utIndicators
        }
    }

    func refuse(_ reason: String) -> ZoneDataError { ZoneDataError(zone: name, reason: reason) }

    mutating func skip(_ count: Int) throws(ZoneDataError) {
        guard count <= bytes.count - position else { throw refuse("its data ends too early") }
        position += count
    }

    mutating func integer(_ size: Int) throws(ZoneDataError) -> Int64 {
        let start = position
        try skip(size)
        var value: Int64 = bytes[start] & 0x80 == 0 ? 0 : -1
        for byte in bytes[start..<position] { value = value << 8 | Int64(byte) }
        return value
    }

    mutating func header() throws(ZoneDataError) -> Header {
        let start = position
        try skip(20)
        guard bytes[start..<start + 4].elementsEqual("TZif".utf8) else {
            throw refuse("it is not a TZif file")
        }
        let digit = bytes[start + 4]
        guard digit == 0 || (0x32...0x34).contains(digit) else {
            throw refuse("its TZif version is unknown")
        }
        var counts: [Int] = []
        for _ in 0..<6 {
            let count = Int(try integer(4))
            guard (0...65536).contains(count) else { throw refuse("a count is out of range") }
            counts.append(count)
        }
        return Header(
            version: digit == 0 ? 1 : Int(digit - 0x30), utIndicators: counts[0],
            standardIndicators: counts[1], leapSeconds: counts[2], times: counts[3],
            types: counts[4], abbreviationBytes: counts[5])
    }

    mutating func block(
        _ header: Header, wide: Bool
    ) throws(ZoneDataError) -> (initialOffset: Int64, changes: [(at: Int64, offset: Int64)]) {
        guard header.types > 0 else { throw refuse("it has no local time type") }
        guard header.leapSeconds == 0 else {
            throw refuse("it counts leap seconds, which clocks of this system do not")
        }
        var times: [Int64] = []
        for _ in 0..<header.times { times.append(try integer(wide ? 8 : 4)) }
        guard zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw refuse("its changes are not in ascending order")
        }
        // RFC 9636 asks writers not to go below -2^59; beyond it, adding an offset may overflow.
        guard times.allSatisfy({ (-(1 << 59)...(1 << 59)).contains($0) }) else {
            throw refuse("a change is out of range")
        }
        let indices = position
        try skip(header.times)
        var offsets: [Int64] = []
        for _ in 0..<header.types {
            let offset = try integer(4)
            guard abs(offset) <= 26 * 3600 else { throw refuse("an offset is out of range") }
            offsets.append(offset)
            try skip(2)
        }
        try skip(
            header.abbreviationBytes + header.standardIndicators + header.utIndicators)
        var changes: [(at: Int64, offset: Int64)] = []
        for (index, time) in times.enumerated() {
            let type = Int(bytes[indices + index])
            guard type < offsets.count else { throw refuse("a change names no local time type") }
            changes.append((time, offsets[type]))
        }
        return (offsets[0], changes)
    }

    /// Reads the rule between the two newlines at the end.
    mutating func footer() throws(ZoneDataError) -> String {
        guard position < bytes.count, bytes[position] == 0x0A,
            let end = bytes[(position + 1)...].firstIndex(of: 0x0A)
        else { throw refuse("its rule is missing") }
        let text = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
        position = end + 1
        return text
    }
}
