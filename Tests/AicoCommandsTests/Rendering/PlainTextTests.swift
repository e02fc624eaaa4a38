// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

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
        #expect(PlainText.visible(row.input) == row.expected)
    }

    @Test func noControlCharacterIsLeft() {
        let all = String(String.UnicodeScalarView((0...0x2FF).compactMap { Unicode.Scalar($0) }))
        let left = PlainText.visible(all).unicodeScalars.filter {
            $0.properties.generalCategory == .control
        }
        #expect(left.isEmpty)
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), ("写真", 4), ("ｆｕｌｌ", 8), ("e\u{301}", 1), ("한글", 4),
        ("\u{1F4F7}", 2), ("a\u{200B}b", 2), ("né\u{301}e", 3),
    ])
    func widthIsThatOfATerminal(text: String, width: Int) {
        #expect(PlainText.width(text) == width)
    }

    @Test(arguments: [
        ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef", 1, "…"), ("abcdef", 0, ""),
        ("ab cdef", 4, "ab…"), ("写真バック", 5, "写真…"), ("写真バック", 4, "写…"),
        ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
    ])
    func cutNeverSplitsACharacterNorExceedsItsWidth(text: String, width: Int, expected: String) {
        let cut = PlainText.cut(text, to: width)
        #expect(cut == expected)
        #expect(PlainText.width(cut) <= width)
    }
}
