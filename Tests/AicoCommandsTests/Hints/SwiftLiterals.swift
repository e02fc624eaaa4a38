// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The string literals of a Swift file; what is put into one shows as `X`.
///
/// Literals that `+` joins are one. Knows comments, escapes, raw and multi-line literals.
struct SwiftLiterals {
    /// A literal and the line that it begins on.
    struct Literal {
        var text: String
        let line: Int
    }

    private(set) var literals: [Literal] = []
    private let source: [UInt8]
    private var index = 0
    private var line = 1
    /// Whether only spaces and `+` came since the last literal.
    private var isJoined = false

    init(_ source: String) {
        self.source = Array(source.utf8)
        while index < self.source.count { step() }
    }

    private func has(_ text: String, at offset: Int = 0) -> Bool {
        // Nearly all is told by the first byte.
        guard index + offset < source.count, source[index + offset] == text.utf8.first else {
            return false
        }
        return source[(index + offset)...].starts(with: text.utf8)
    }

    private var isLineEnd: Bool { index < source.count && source[index] == UInt8(ascii: "\n") }
    private var isSpace: Bool { isLineEnd || has(" ") || has("\t") }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where index < source.count {
            if isLineEnd { line += 1 }
            index += 1
        }
    }

    private mutating func step() {
        if has("//") {
            while index < source.count, !isLineEnd { advance() }
            return
        }
        var hashes = 0
        while has("#", at: hashes) { hashes += 1 }
        guard has("\"", at: hashes) else {
            if !isSpace, !has("+") { isJoined = false }
            return advance()
        }
        let begin = line
        advance(hashes)
        let text = literal(hashes: hashes)
        if isJoined, !literals.isEmpty {
            literals[literals.count - 1].text += text
        } else {
            literals.append(Literal(text: text, line: begin))
        }
        isJoined = true
    }

    private mutating func literal(hashes: Int) -> String {
        let hash = String(repeating: "#", count: hashes)
        let quote = has("\"\"\"") ? "\"\"\"" : "\""
        let end = quote + hash
        let escape = "\\" + hash
        var text: [UInt8] = []
        advance(quote.count)
        while index < source.count, !has(end) {
            guard has(escape) else {
                text.append(source[index])
                advance()
                continue
            }
            advance(escape.count)
            if has("(") {
                skipInterpolation()
                text.append(UInt8(ascii: "X"))
            } else if isLineEnd {
                // A line that goes on: its indentation is none of the text.
                while isSpace { advance() }
            } else if index < source.count {
                text.append(has("n") ? UInt8(ascii: "\n") : source[index])
                advance()
            }
        }
        advance(end.count)
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func skipInterpolation() {
        var depth = 0
        while index < source.count {
            if has("\"") {
                _ = literal(hashes: 0)
                continue
            }
            if has("(") { depth += 1 }
            if has(")") { depth -= 1 }
            advance()
            if depth == 0 { return }
        }
    }
}
