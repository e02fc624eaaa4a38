// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import AicoCommands

struct PlainTextTests {
    struct Visible: Sendable, CustomTestStringConvertible {
        let id: String
        let input: String
        let expected: String
        var testDescription: String { id }
    }

    @Test(arguments: [
        Visible(id: "plain", input: "déjà vu, 写真", expected: "déjà vu, 写真"),
        Visible(id: "escape", input: "\u{1B}[2J", expected: "\\x1b[2J"),
        Visible(id: "one byte CSI", input: "\u{9B}31m", expected: "\\x9b31m"),
        Visible(id: "title", input: "\u{1B}]0;x\u{7}", expected: "\\x1b]0;x\\x07"),
        Visible(id: "lines", input: "a\r\nb\nc\rd", expected: "a\\r\\nb\\nc\\rd"),
        Visible(id: "tab", input: "a\tb", expected: "a    b"),
        Visible(id: "delete", input: "a\u{7F}", expected: "a\\x7f"),
        Visible(id: "null", input: "a\0b", expected: "a\\x00b"),
        Visible(
            id: "text turned around", input: "\u{202E}exe\u{202C}\u{2066}\u{200F}\u{061C}",
            expected: "\\u{202e}exe\\u{202c}\\u{2066}\\u{200f}\\u{61c}"),
        Visible(
            id: "line separators", input: "a\u{2028}b\u{2029}",
            expected: "a\\u{2028}b\\u{2029}"),
        Visible(
            id: "hidden in a cluster", input: "e\u{301}\u{1B}\u{301}",
            expected: "e\u{301}\\x1b\u{301}"),
    ])
    func whatSteersATerminalIsShown(row: Visible) {
        #expect(PlainText(row.input).text == row.expected)
    }

    @Test(arguments: [0xFFFE, 0xFFFF, 0x1FFFF, 0x10FFFE, 0xFDD0, 0xFDEF] as [UInt32])
    func whatIsNoCharacterIsShown(number: UInt32) throws {
        let scalar = try #require(Unicode.Scalar(number))
        #expect(PlainText("a\(scalar)b" as String).text == "a\\u{\(String(number, radix: 16))}b")
    }

    @Test func noControlCharacterIsLeft() {
        let all = String(String.UnicodeScalarView((0...0x2FF).compactMap { Unicode.Scalar($0) }))
        let left = PlainText(all).text.unicodeScalars.filter {
            $0.properties.generalCategory == .control
        }
        #expect(left.isEmpty)
    }

    @Test func whatIsPutIntoALiteralIsEscapedAndTheLiteralIsNot() {
        let foreign = "\u{1B}[2J\n"
        let once: PlainText = "\u{1B}[1m\(foreign)\u{1B}[0m"
        #expect(once.text == "\u{1B}[1m\\x1b[2J\\n\u{1B}[0m")
        let again: PlainText = "<\(once)>"
        #expect(again.text == "<\(once.text)>")
        #expect(PlainText(lines: "a\r\nb\u{9B}").text == "a\\r\nb\\x9b")
    }

    /// All that steers, in keys and values: escaped, and still the same document.
    @Test(arguments: [false, true])
    func aDocumentKeepsItsValue(indented: Bool) throws {
        let all = (Array(0...0x2FFF) + [0xFEFF, 0xFFFE, 0x1FFFE, 0x10FFFF, 0x1F600])
            .compactMap { Unicode.Scalar($0) }
        // Between others: JSON has no long runs of combining marks.
        let text = String(String.UnicodeScalarView(all.flatMap { ["x", $0] }))
        let json: JSONValue = [text: .string(text), "list": [.string(text), 1, nil]]
        let plain = PlainText(json: json, indented: indented).text
        #expect(try JSONValue.parse(Array(plain.utf8), maximumBytes: 1 << 24) == json)
        #expect(PlainText(lines: plain).text == plain)
        #expect(indented || !plain.contains("\n"))
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), ("写真", 4), ("ｆｕｌｌ", 8), ("e\u{301}", 1), ("한글", 4),
        ("\u{1F4F7}", 2), ("a\u{200B}b", 2), ("né\u{301}e", 3),
    ])
    func widthIsThatOfATerminal(text: String, width: Int) {
        #expect(PlainText(text).width == width)
    }

    @Test(arguments: [
        ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef", 1, "…"), ("abcdef", 0, ""),
        ("ab cdef", 4, "ab…"), ("写真バック", 5, "写真…"), ("写真バック", 4, "写…"),
        ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
    ])
    func cutNeverSplitsACharacterNorExceedsItsWidth(text: String, width: Int, expected: String) {
        let cut = PlainText(text).cut(to: width)
        #expect(cut.text == expected)
        #expect(cut.width <= width)
    }
}
