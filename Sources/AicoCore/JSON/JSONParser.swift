// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Says where and why bytes are not one JSON value within the limits.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The offset of the first byte that is wrong.
    package let offset: Int
    /// The rule that was broken, in words.
    package let reason: String

    package init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }

    /// The error as one sentence.
    package var description: String { "cannot read JSON at byte \(offset): \(reason)" }
}

extension JSONValue {
    /// Reads exactly one value; refuses double keys, bad UTF-8, lone surrogates, more than
    /// `maximumBytes` bytes, more than `maximumDepth` arrays and objects inside each other, and long
    /// runs of combining marks.
    ///
    /// - Parameter quotesTasks: whether texts, but for keys, may have such runs: what the scheduler
    ///   tells quotes what tasks print, and nobody compares it.
    package static func parse(
        _ bytes: [UInt8], maximumBytes: Int = JSONValue.maximumBytes, maximumDepth: Int = 32,
        quotesTasks: Bool = false
    ) throws(JSONError) -> JSONValue {
        guard bytes.count <= maximumBytes else {
            throw JSONError(
                offset: 0, reason: "has \(bytes.count) bytes, limit \(maximumBytes)")
        }
        var parser = JSONParser(
            bytes: bytes, maximumDepth: maximumDepth, quotesTasks: quotesTasks)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.peek == nil else { throw parser.failure("more follows the value") }
        return value
    }

    /// Reads exactly one value from text.
    package static func parse(_ text: String) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8))
    }
}

/// A recursive descent over the bytes; the depth limit bounds the recursion.
struct JSONParser {
    let bytes: [UInt8]
    let maximumDepth: Int
    let quotesTasks: Bool
    var offset = 0

    var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    init(bytes: [UInt8], maximumDepth: Int, quotesTasks: Bool) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        self.quotesTasks = quotesTasks
    }

    func failure(_ reason: String, at position: Int? = nil) -> JSONError {
        JSONError(offset: position ?? offset, reason: reason)
    }

    mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            offset += 1
        }
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipSpace()
        guard let first = peek else { throw failure("the value is missing") }
        switch first {
        case 0x7B: return try object(depth: depth + 1)
        case 0x5B: return try array(depth: depth + 1)
        case 0x22: return .string(try string(mayHaveMarks: quotesTasks))
        case 0x74: return try word("true", .bool(true))
        case 0x66: return try word("false", .bool(false))
        case 0x6E: return try word("null", .null)
        case 0x2D, 0x30...0x39: return try number()
        default: throw failure("no value begins with this byte")
        }
    }

    private mutating func word(
        _ text: StaticString, _ value: JSONValue
    ) throws(JSONError) -> JSONValue {
        let expected = text.withUTF8Buffer { Array($0) }
        guard bytes[offset...].starts(with: expected) else {
            throw failure("expected \"\(text)\"")
        }
        offset += expected.count
        return value
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        try enter(depth)
        var elements: [JSONValue] = []
        if closes(0x5D) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth))
            if try ends(0x5D) { return .array(elements) }
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        try enter(depth)
        var members: [String: JSONValue] = [:]
        if closes(0x7D) { return .object(members) }
        while true {
            skipSpace()
            let start = offset
            guard peek == 0x22 else { throw failure("expected a key in quotes") }
            let key = try string(mayHaveMarks: false)
            skipSpace()
            guard peek == 0x3A else { throw failure("expected ':'") }
            offset += 1
            guard members.updateValue(try value(depth: depth), forKey: key) == nil else {
                throw failure("the key is there twice", at: start)
            }
            if try ends(0x7D) { return .object(members) }
        }
    }

    private mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth <= maximumDepth else { throw failure("nested deeper than \(maximumDepth)") }
        offset += 1
    }

    private mutating func closes(_ close: UInt8) -> Bool {
        skipSpace()
        guard peek == close else { return false }
        offset += 1
        return true
    }

    private mutating func ends(_ close: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        guard let byte = peek, byte == close || byte == 0x2C else {
            throw failure("expected ',' or '\(Character(Unicode.Scalar(close)))'")
        }
        offset += 1
        return byte == close
    }
}
