// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension JSONValue {
    /// Writes the value in UTF-8 with sorted keys: equal values give equal bytes.
    ///
    /// `indented` writes a line for each member, for people. Doubles that JSON cannot say
    /// (infinities, NaN) become `null`.
    public func serialized(indented: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes, indentation: indented ? 0 : nil)
        return bytes
    }

    /// The same as text.
    public func text(indented: Bool = false) -> String {
        String(decoding: serialized(indented: indented), as: UTF8.self)
    }

    private func write(to bytes: inout [UInt8], indentation: Int?) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .int(let value): bytes.append(contentsOf: String(value).utf8)
        case .double(let value):
            bytes.append(contentsOf: (value.isFinite ? "\(value)" : "null").utf8)
        case .string(let value): Self.write(value, to: &bytes)
        case .array(let elements):
            Self.write(elements, "[", "]", to: &bytes, indentation) { element, bytes, inner in
                element.write(to: &bytes, indentation: inner)
            }
        case .object(let members):
            let sorted = members.sorted { $0.key < $1.key }
            Self.write(sorted, "{", "}", to: &bytes, indentation) { member, bytes, inner in
                Self.write(member.key, to: &bytes)
                bytes.append(contentsOf: (inner == nil ? ":" : ": ").utf8)
                member.value.write(to: &bytes, indentation: inner)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], _ open: String, _ close: String, to bytes: inout [UInt8],
        _ indentation: Int?, _ each: (Element, inout [UInt8], Int?) -> Void
    ) {
        bytes.append(contentsOf: open.utf8)
        let inner = indentation.map { $0 + 1 }
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            newLine(inner, &bytes)
            each(element, &bytes, inner)
        }
        if !elements.isEmpty { newLine(indentation, &bytes) }
        bytes.append(contentsOf: close.utf8)
    }

    private static func newLine(_ indentation: Int?, _ bytes: inout [UInt8]) {
        guard let indentation else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: indentation * 2))
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(0x22)
        var text = text
        let isPlain = text.withUTF8 { content in
            guard content.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C && $0 != 0x7F })
            else { return false }
            bytes.append(contentsOf: content)
            return true
        }
        if !isPlain { writeEscaped(text, to: &bytes) }
        bytes.append(0x22)
    }

    private static func writeEscaped(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case 0x22: bytes.append(contentsOf: [0x5C, 0x22])
            case 0x5C: bytes.append(contentsOf: [0x5C, 0x5C])
            case 0x0A: bytes.append(contentsOf: [0x5C, 0x6E])
            case 0x0D: bytes.append(contentsOf: [0x5C, 0x72])
            case 0x09: bytes.append(contentsOf: [0x5C, 0x74])
            case 0x00..<0x20, 0x7F:
                bytes.append(contentsOf: [0x5C, 0x75, 0x30, 0x30, hex(byte >> 4), hex(byte & 15)])
            default: bytes.append(byte)
            }
        }
    }

    private static func hex(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? 0x30 + nibble : 0x57 + nibble
    }
}
