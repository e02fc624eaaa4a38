// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// Text that a terminal can be given: nothing in it steers the terminal or turns text around.
///
/// Task output is hostile until shown otherwise: an escape sequence could hide or forge lines. All
/// output takes this type, so that no text reaches a terminal by another way: a literal is ours and
/// stays as it is, what is put into one is escaped, and a `String` becomes one by being escaped.
struct PlainText: Sendable, Hashable, CustomStringConvertible {
    /// The text, as safe as a `String` again as what is added to it.
    private(set) var text: String

    /// Escapes a text of one line.
    init(_ foreign: String) { text = Self.visible(foreign, keepsLines: false) }

    /// Escapes a text of several lines, whose ends stay.
    init(lines: String) { text = Self.visible(lines, keepsLines: true) }

    /// A JSON document, equal in value: what steers is written by its number in its strings.
    init(json: JSONValue, indented: Bool = false) {
        text = Self.escaped(json: json.text(indented: indented))
    }

    var description: String { text }
    var isEmpty: Bool { text.isEmpty }

    /// The lines between line ends.
    var lines: [PlainText] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { Self(safe: $0) }
    }

    static func spaces(_ count: Int) -> PlainText {
        Self(safe: String(repeating: " ", count: max(0, count)))
    }

    static func + (left: PlainText, right: PlainText) -> PlainText {
        Self(safe: left.text + right.text)
    }

    static func += (left: inout PlainText, right: PlainText) { left.text += right.text }

    /// For parts and sums of what is escaped already.
    private init(safe text: some StringProtocol) { self.text = String(text) }
}

extension PlainText: ExpressibleByStringInterpolation {
    init(stringLiteral value: String) { text = value }

    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// Keeps the literal's own parts and escapes what is put between them.
    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }

        mutating func appendInterpolation(_ plain: PlainText) { text += plain.text }

        mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            text += PlainText(value.description).text
        }
    }
}

extension Sequence<PlainText> {
    func joined(separator: PlainText = "") -> PlainText {
        var result: PlainText = ""
        for (index, part) in enumerated() { result += index == 0 ? part : separator + part }
        return result
    }
}

// MARK: What steers

extension PlainText {
    private static func visible(_ text: String, keepsLines: Bool) -> String {
        guard text.unicodeScalars.contains(where: steers) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if steers(scalar), !(keepsLines && scalar == "\n") {
                result.append(contentsOf: escape(scalar).unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// Outside of strings a document has nothing but ASCII, and line ends as its only control.
    private static func escaped(json text: String) -> String {
        func isKept(_ scalar: Unicode.Scalar) -> Bool { scalar == "\n" || !steers(scalar) }
        guard !text.unicodeScalars.allSatisfy(isKept) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard !isKept(scalar) else {
                result.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                result.append(contentsOf: "\\u\(hex(UInt32(unit), 4))".unicodeScalars)
            }
        }
        return String(result)
    }

    /// C0, DEL and C1; marks that turn text around or end lines; what is no character.
    private static func steers(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E,
            0x2066...0x2069, 0xFDD0...0xFDEF:
            true
        case let value: value & 0xFFFE == 0xFFFE
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\t": "    "
        case "\n": "\\n"
        case "\r": "\\r"
        default:
            scalar.value > 0xFF
                ? "\\u{\(String(scalar.value, radix: 16))}" : "\\x\(hex(scalar.value, 2))"
        }
    }

    private static func hex(_ value: UInt32, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
