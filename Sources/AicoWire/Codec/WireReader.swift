// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Reads little-endian values from a hostile frame; every step is checked, nothing traps.
struct WireReader {
    private let bytes: [UInt8]
    private let subject: String
    private var offset = 0

    /// Checks the frame's length and version byte.
    init(_ bytes: [UInt8], subject: String) throws(WireError) {
        self.bytes = bytes
        self.subject = subject
        guard bytes.count <= WireLimits.maximumFrameBytes else {
            throw failure(
                .tooLarge(
                    field: "frame", count: bytes.count, limit: WireLimits.maximumFrameBytes))
        }
        let version = try byte()
        guard version == WireLimits.version else {
            throw WireError(subject: subject, offset: 0, reason: .unknownVersion(version))
        }
    }

    /// Makes an error at `position`, or at the current offset.
    func failure(_ reason: WireError.Reason, at position: Int? = nil) -> WireError {
        WireError(subject: subject, offset: position ?? offset, reason: reason)
    }

    /// Requires that nothing is left.
    func finish() throws(WireError) {
        guard offset == bytes.count else { throw failure(.trailingBytes(bytes.count - offset)) }
    }

    mutating func byte() throws(WireError) -> UInt8 {
        guard offset < bytes.count else { throw failure(.truncated(needed: 1, left: 0)) }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func integer<Value: FixedWidthInteger>(
        _: Value.Type = Value.self
    ) throws(WireError) -> Value {
        let size = MemoryLayout<Value>.size
        try require(size)
        var value: Value = 0
        for index in 0..<size {
            value |= Value(truncatingIfNeeded: bytes[offset + index]) << Value(8 * index)
        }
        offset += size
        return value
    }

    mutating func text(
        _ field: String, limit: Int = WireLimits.maximumStringBytes
    ) throws(WireError) -> String {
        let start = offset
        let slice = try counted(field, limit: limit)
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw failure(.invalidUTF8(field: field), at: start)
        }
        return text
    }

    mutating func blob(_ field: String, limit: Int) throws(WireError) -> [UInt8] {
        Array(try counted(field, limit: limit))
    }

    /// Reads non-negative nanoseconds.
    mutating func duration(_ field: String) throws(WireError) -> Duration {
        let start = offset
        let nanoseconds: Int64 = try integer()
        guard nanoseconds >= 0 else { throw failure(.outOfRange(field: field), at: start) }
        return .nanoseconds(nanoseconds)
    }

    /// Reads a byte that must be 0 or 1.
    mutating func flag(_ field: String) throws(WireError) -> Bool {
        let start = offset
        let value = try byte()
        guard value <= 1 else {
            throw failure(.unknownTag(field: field, value: value), at: start)
        }
        return value == 1
    }

    /// Reads a tag that must be a raw value of `Tag`.
    mutating func tag<Tag: RawRepresentable<UInt8>>(
        _ field: String, _: Tag.Type = Tag.self
    ) throws(WireError) -> Tag {
        let start = offset
        let value = try byte()
        guard let tag = Tag(rawValue: value) else {
            throw failure(.unknownTag(field: field, value: value), at: start)
        }
        return tag
    }

    mutating func optional<Value>(
        _ field: String, _ read: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        try flag(field) ? try read(&self) : nil
    }

    mutating func list<Element>(
        _ field: String, _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let start = offset
        let count = Int(try byte())
        guard count <= WireLimits.maximumListCount else {
            throw failure(
                .tooLarge(field: field, count: count, limit: WireLimits.maximumListCount),
                at: start)
        }
        var elements: [Element] = []
        for _ in 0..<count { elements.append(try read(&self)) }
        return elements
    }

    private func require(_ count: Int) throws(WireError) {
        guard bytes.count - offset >= count else {
            throw failure(.truncated(needed: count, left: bytes.count - offset))
        }
    }

    private mutating func counted(
        _ field: String, limit: Int
    ) throws(WireError) -> ArraySlice<UInt8> {
        let start = offset
        let count = Int(try integer(UInt32.self))
        guard count <= limit else {
            throw failure(.tooLarge(field: field, count: count, limit: limit), at: start)
        }
        try require(count)
        defer { offset += count }
        return bytes[offset..<(offset + count)]
    }
}
