// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The commands that a text tells to type, as words after `aico`.
///
/// A command ends with the quotes that it stands in, with its line, or where the sentence goes on.
struct TypedCommands {
    private(set) var commands: [[String]] = []

    init(in text: String) {
        // A shell joins lines with a backslash; so do the examples of help pages.
        let joined = text.replacing(/\\\n */, with: "")
        for line in joined.split(separator: "\n") {
            for match in line.matches(of: /(^|[^A-Za-z0-9_\/.\-])aico (?=--root|sched|superv)/) {
                // What is read from a pipe is not typed.
                guard !line.contains("|") else { continue }
                let rest = line[match.range.upperBound...]
                if match.1 == "\"" {
                    commands.append(Self.words(rest.prefix { $0 != "\"" }))
                } else {
                    let end = rest.firstRange(of: /(?:, |; )/)?.lowerBound ?? rest.endIndex
                    commands.append(Self.words(rest[..<end]))
                }
            }
        }
    }

    /// The words of a shell's command line.
    private static func words(_ text: Substring) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        var isWord = false
        for character in text {
            switch (character, quote) {
            case (let end, let open?) where end == open: quote = nil
            case ("\"", nil), ("'", nil):
                quote = character
                isWord = true
            case (" ", nil):
                if isWord || !word.isEmpty { words.append(word) }
                word = ""
                isWord = false
            default: word.append(character)
            }
        }
        if isWord || !word.isEmpty { words.append(word) }
        return words
    }
}
