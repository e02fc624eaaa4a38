// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import ArgumentParser

/// What was probably meant by a command line that the parser refused.
struct ParserHint {
    /// Options by the names that other programs have for them, without dashes.
    static let synonyms = [
        "cwd": "directory", "chdir": "directory", "workdir": "directory",
        "working-directory": "directory", "stdin": "input", "environment": "env",
        "retry": "retries", "retry-count": "retries", "zone": "timezone",
        "lines": "tail", "max": "limit",
    ]

    /// The words before the first `--`.
    private let words: [String]
    private let hasTerminator: Bool
    /// What the parser said.
    private let message: String

    /// Looks at a command line without its program's name, and at what the parser said of it.
    init(_ arguments: [String], message: String) {
        words = Array(arguments.prefix { $0 != "--" })
        hasTerminator = words.count < arguments.count
        self.message = message
    }

    /// What to type; nil where nothing is known better than what the parser said.
    var text: String? {
        var verb: any ParsableCommand.Type = AicoCommand.self
        var path = ["aico"]
        for (index, word) in words.enumerated() {
            let below = verb.configuration.subcommands
            guard !below.isEmpty, !word.hasPrefix("-") else {
                return hint(for: VerbOptions(verb), path, Array(words[index...]))
            }
            guard let next = below.first(where: { $0.configuration.commandName == word }) else {
                return Self.verbHint(word, path, below)
            }
            verb = next
            path.append(word)
        }
        return hint(for: VerbOptions(verb), path, [])
    }

    /// The nearest of the verbs that stand there, or a place where there is one of that name.
    private static func verbHint(
        _ word: String, _ path: [String], _ verbs: [any ParsableCommand.Type]
    ) -> String {
        let names = verbs.compactMap { $0.configuration.commandName }
        let elsewhere = places(of: word, below: AicoCommand.self, ["aico"])
        if let place = elsewhere.first { return "type: " + place.joined(separator: " ") }
        guard let nearest = NearestWord.find(word, in: names) else {
            return "the verbs are \(names.sorted().joined(separator: ", "))"
        }
        return "type: " + (path + [nearest]).joined(separator: " ")
    }

    private static func places(
        of word: String, below verb: any ParsableCommand.Type, _ path: [String]
    ) -> [[String]] {
        verb.configuration.subcommands.flatMap { next in
            let name = next.configuration.commandName ?? ""
            let below = places(of: word, below: next, path + [name])
            return name == word ? [path + [name]] + below : below
        }
    }

    private func hint(
        for options: VerbOptions, _ path: [String], _ words: [String]
    ) -> String? {
        if message.contains("had already been set") { return "leave out one of them" }
        let (positional, unknown) = options.read(words)
        if path.last == "create", positional.count > 1, Self.isField(words[positional[1]]) {
            return "put the schedule into quotes, as in \"0 2 * * *\""
        }
        if let unknown {
            let known = Self.synonyms[String(unknown.drop { $0 == "-" })].map { "--\($0)" }
            if let known, options.names.contains(known) { return "write \(known)" }
            if let place = command(path, positional, words),
                place < options.index(of: unknown, words)
            {
                return Self.terminated(words[place...])
            }
            return NearestWord.find(unknown, in: options.names.filter { $0.hasPrefix("--") })
                .map { "write \($0)" }
        }
        return command(path, positional, words).map { Self.terminated(words[$0...]) }
    }

    /// Where a command begins that lacks its dashes.
    private func command(_ path: [String], _ positional: [Int], _ words: [String]) -> Int? {
        let own = path.last == "create" ? 2 : path.last == "update" ? 1 : Int.max
        guard !hasTerminator, positional.count > own else { return nil }
        return positional[own]
    }

    private static func terminated(_ command: ArraySlice<String>) -> String {
        "write the command behind two dashes: -- "
            + command.map(ShellWord.quoted).joined(separator: " ")
    }

    /// Whether a word can only be one field of a cron expression that lacks its quotes.
    private static func isField(_ word: String) -> Bool {
        !word.isEmpty && word.allSatisfy { "0123456789*/,-?".contains($0) }
    }
}

/// The options of a verb, as its own help lists them.
private struct VerbOptions {
    private(set) var names: [String] = []
    /// Those that take a value.
    private var valued: Set<String> = []

    init(_ verb: any ParsableCommand.Type) {
        let head = /^  ((?:-{1,2}[A-Za-z][A-Za-z0-9\-]*(?:, |\/)?)+)( <)?/
        for line in AicoCommand.helpMessage(for: verb, columns: 400).split(separator: "\n") {
            guard let match = line.firstMatch(of: head) else { continue }
            for name in match.1.split(whereSeparator: { ", /".contains($0) }).map(String.init) {
                names.append(name)
                if match.2 != nil { valued.insert(name) }
            }
        }
    }

    /// Where the words are that belong to no option, and the first option that the verb lacks.
    func read(_ words: [String]) -> (positional: [Int], unknown: String?) {
        var positional: [Int] = []
        var unknown: String?
        var index = 0
        while index < words.count {
            let word = words[index]
            let name = String(word.prefix { $0 != "=" })
            if !word.hasPrefix("-") || word == "-" {
                positional.append(index)
            } else if !names.contains(name) {
                unknown = unknown ?? name
            } else if valued.contains(name), name == word {
                index += 1
            }
            index += 1
        }
        return (positional, unknown)
    }

    /// Where an option stands first.
    func index(of name: String, _ words: [String]) -> Int {
        words.firstIndex { $0 == name || $0.hasPrefix("\(name)=") } ?? words.count
    }
}
