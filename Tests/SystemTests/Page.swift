// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// A page of the documentation.
struct Page: Sendable, CustomStringConvertible {
    /// A fenced block of a page.
    struct Block: Sendable {
        /// What follows the opening fence; empty where nothing does.
        let kind: String
        /// The line of the opening fence.
        let line: Int
        let lines: [String]

        var text: String { lines.joined(separator: "\n") + "\n" }

        /// Its command lines, without comments; lines that a backslash joins are one.
        var commands: [String] {
            var commands: [String] = []
            var begun = ""
            for line in lines {
                let text = line.prefix(upTo: Self.comment(in: line)).trimmingSpaces
                guard !text.hasSuffix("\\") else {
                    begun += text.dropLast()
                    continue
                }
                if !(begun + text).isEmpty { commands.append(begun + text) }
                begun = ""
            }
            return commands
        }

        /// Where a comment begins: a `#` at the line's begin or behind a space, outside of quotes.
        private static func comment(in line: String) -> String.Index {
            var quote: Character?
            var before: Character = " "
            for index in line.indices {
                let character = line[index]
                if character == quote {
                    quote = nil
                } else if quote == nil, character == "\"" || character == "'" {
                    quote = character
                } else if quote == nil, character == "#", before == " " {
                    return index
                }
                before = character
            }
            return line.endIndex
        }
    }

    /// The path below the project's directory.
    let path: String
    let blocks: [Block]

    var description: String { path }

    init(path: String, text: String) {
        self.path = path
        var blocks: [Block] = []
        var open: (kind: String, line: Int, lines: [String])?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            guard line.hasPrefix("```") else {
                open?.lines.append(String(line))
                continue
            }
            if let block = open {
                blocks.append(Block(kind: block.kind, line: block.line, lines: block.lines))
                open = nil
            } else {
                open = (line.dropFirst(3).trimmingSpaces, index + 1, [])
            }
        }
        // One that is not closed takes the rest of the page, and shows as what it is.
        if let block = open {
            blocks.append(Block(kind: "unclosed", line: block.line, lines: block.lines))
        }
        self.blocks = blocks
    }

    /// Every page of the tree, by path.
    static let all: [Page] = {
        var paths = try? directoryEntries(projectDirectory).filter { $0.hasSuffix(".md") }
        for folder in ["docs", "docs/decisions", "examples", "Sources/TaskKit/TaskKit.docc"] {
            let names = try? directoryEntries("\(projectDirectory)/\(folder)")
            paths? += (names ?? []).filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" }
        }
        return (paths ?? []).sorted().compactMap { path in
            guard let text = try? textOfFile("\(projectDirectory)/\(path)") else { return nil }
            return Page(path: path, text: text)
        }
    }()
}

extension StringProtocol {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.last == " " { text = text.dropLast() }
        return String(text.drop { $0 == " " })
    }
}
