// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import AicoCommands

/// The verbs and options of `aico`, as the executable itself tells them.
struct VerbTree {
    private var verbs: [String: VerbTree] = [:]
    private var options: Set<String> = []

    static func load() throws -> VerbTree {
        let text = CommandRun(["--experimental-dump-help"]).output
        let json = try JSONValue.parse(Array(text.utf8), maximumBytes: 1 << 24)
        return VerbTree(try #require(json["command"]))
    }

    private init(_ json: JSONValue) {
        for argument in json["arguments"]?.array ?? [] {
            for name in argument["names"]?.array ?? [] {
                let dashes = name["kind"]?.string == "short" ? "-" : "--"
                options.insert(dashes + (name["name"]?.string ?? ""))
            }
        }
        for verb in json["subcommands"]?.array ?? [] {
            verbs[verb["commandName"]?.string ?? ""] = VerbTree(verb)
        }
    }

    /// All options, of every verb.
    var allOptions: Set<String> {
        verbs.values.reduce(options.union(["--root"])) { $0.union($1.allOptions) }
    }

    /// What is wrong with the words after `aico`; nil where nothing is.
    ///
    /// Words after the verb are arguments or what a sentence goes on with; only options are known.
    func fault(in words: [String]) -> String? {
        var place = self
        var path = "aico"
        for word in words {
            if word == "--" { return nil }
            let name = word.trimmed
            if let verb = place.verbs[name] {
                place = verb
                path += " \(name)"
            } else if word.hasPrefix("-") {
                let option = String(name.prefix { $0 != "=" })
                let known = place.options.union(["--help", "--root", "--version"])
                if !known.contains(option) { return "\(path) has no \(option)" }
            } else if !place.verbs.isEmpty, name.allSatisfy({ $0.isLetter && $0.isLowercase }) {
                return "\(path) has no verb \(name)"
            }
        }
        return nil
    }
}

extension String {
    /// The word without the punctuation of the sentence or the synopsis that it stands in.
    fileprivate var trimmed: String {
        let marks: Set<Character> = [".", ",", ";", ":", ")", "(", "]", "[", "'", "`"]
        var word = Substring(self)
        while let last = word.last, marks.contains(last) { word.removeLast() }
        while let first = word.first, marks.contains(first) { word.removeFirst() }
        return String(word)
    }
}
