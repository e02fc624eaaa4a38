// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension JSONParser {
    mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        if peek == 0x2D { offset += 1 }
        if peek == 0x30 { offset += 1 } else { try digits() }
        var whole = true
        if peek == 0x2E {
            whole = false
            offset += 1
            try digits()
        }
        if peek == 0x65 || peek == 0x45 {
            whole = false
            offset += 1
            if peek == 0x2B || peek == 0x2D { offset += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if whole, let value = Int(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else {
            throw failure("the number is too large", at: start)
        }
        return .double(value)
    }

    private mutating func digits() throws(JSONError) {
        guard let first = peek, (0x30...0x39).contains(first) else {
            throw failure("expected a digit")
        }
        while let byte = peek, (0x30...0x39).contains(byte) { offset += 1 }
    }

    mutating func string(mayHaveMarks: Bool) throws(JSONError) -> String {
        let start = offset
        offset += 1
        // Most strings have no escape: they are read as they stand.
        var largest: UInt8 = 0
        while let byte = peek, byte != 0x22, byte != 0x5C, byte >= 0x20 {
            if byte > largest { largest = byte }
            offset += 1
        }
        if peek == 0x22 {
            // Combining marks begin at U+0300, whose first byte is this.
            let text = try text(
                bytes[start + 1..<offset], at: start, mayHaveMarks || largest < 0xCC)
            offset += 1
            return text
        }
        var content = Array(bytes[start + 1..<offset])
        while true {
            guard let byte = peek else { throw failure("the string does not end", at: start) }
            offset += 1
            switch byte {
            case 0x22:
                let isPlain = !content.contains { $0 >= 0xCC }
                return try text(content[...], at: start, mayHaveMarks || isPlain)
            case 0x5C: try escape(into: &content)
            case 0x00..<0x20:
                throw failure("a control character must be escaped", at: offset - 1)
            default: content.append(byte)
            }
        }
    }

    /// The most combining marks in a row, by UAX #15's Stream-Safe Text Format.
    private static let maximumMarks = 30

    /// Refuses a long run of combining marks: to compare or hash it costs its length squared, since
    /// both put it in order first, and 250 kB of it would hold a process up for a minute.
    private func text(
        _ content: ArraySlice<UInt8>, at start: Int, _ mayHaveMarks: Bool
    ) throws(JSONError) -> String {
        guard let text = String(validating: content, as: UTF8.self) else {
            throw failure("the string is not UTF-8", at: start)
        }
        if mayHaveMarks { return text }
        var marks = 0
        for scalar in text.unicodeScalars {
            guard scalar.value >= 0x300 else {
                marks = 0
                continue
            }
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark: marks += 1
            default: marks = 0
            }
            guard marks <= Self.maximumMarks else {
                throw failure("more than \(Self.maximumMarks) combining marks in a row", at: start)
            }
        }
        return text
    }

    private mutating func escape(into content: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw failure("the escape does not end") }
        offset += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: content.append(byte)
        case 0x62: content.append(0x08)
        case 0x66: content.append(0x0C)
        case 0x6E: content.append(0x0A)
        case 0x72: content.append(0x0D)
        case 0x74: content.append(0x09)
        case 0x75: content.append(contentsOf: try unicodeEscape().utf8)
        default: throw failure("unknown escape", at: offset - 1)
        }
    }

    private mutating func unicodeEscape() throws(JSONError) -> Character {
        let start = offset - 2
        let first = try hexUnit()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        guard first < 0xDC00, peek == 0x5C, offset + 1 < bytes.count, bytes[offset + 1] == 0x75
        else { throw failure("half of a surrogate pair", at: start) }
        offset += 2
        let second = try hexUnit()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar((first - 0xD800) << 10 + (second - 0xDC00) + 0x10000)
        else { throw failure("half of a surrogate pair", at: start) }
        return Character(scalar)
    }

    private mutating func hexUnit() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue,
                byte < 0x80
            else { throw failure("expected four hexadecimal digits") }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }
}
