// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Testing

@testable import AicoCommands

/// What messages and pages tell to type can be typed.
struct HintTests {
    private static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Options of the other executables.
    private static let otherOptions: Set = [
        "--root", "--profiles", "--check", "--bin", "--describe", "--class", "--identities",
        "--help", "--version", "--filters", "--time-limit", "--worker", "--workers",
    ]

    /// Literals that begin with `aico` and are labels of key derivation, no commands.
    private static let labels: Set = ["AicoKeys"]

    private static func files(under folder: String, suffix: String) throws -> [URL] {
        let root = repository.appending(path: folder)
        let found = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String }
        return try #require(found).filter { $0.hasSuffix(suffix) }.sorted().map {
            root.appending(path: $0)
        }
    }

    /// The commands that a text names, as words after the executable's name.
    private static func commands(in text: String) -> [(program: String, words: [String])] {
        text.matches(
            of: /(?:^|[^A-Za-z0-9_\/.\-])(aico(?:-supervisor|-scheduler)?) ([^ "`\n;|][^"`\n;|]*)/
        )
        .map { match in (String(match.1), match.2.split(separator: " ").map(String.init)) }
    }

    private static func fault(in text: String, _ tree: VerbTree) -> String? {
        for (program, words) in commands(in: text) {
            if program == "aico" {
                if let fault = tree.fault(in: words) { return fault }
                continue
            }
            let options = words.prefix { $0.hasPrefix("--") || $0 == "X" || $0.first == "/" }
            if let option = options.first(where: {
                $0.hasPrefix("--") && !otherOptions.contains($0)
            }) {
                return "\(program) has no \(option)"
            }
        }
        return nil
    }

    @Test func everyHintOfTheSourcesNamesWhatThereIs() throws {
        let tree = try VerbTree.load()
        let options = tree.allOptions.union(Self.otherOptions)
        var commands = 0
        for file in try Self.files(under: "Sources", suffix: ".swift") {
            guard !Self.labels.contains(file.deletingLastPathComponent().lastPathComponent) else {
                continue
            }
            let literals = SwiftLiterals(try String(contentsOf: file, encoding: .utf8)).literals
            for literal in literals
            where literal.text.contains("aico") || literal.text.contains("--") {
                let place = "\(file.lastPathComponent):\(literal.line): \(literal.text)"
                commands += Self.commands(in: literal.text).count
                if let fault = Self.fault(in: literal.text, tree) {
                    Issue.record("\(fault): \(place)")
                }
                for match in literal.text.matches(of: /(?:^|[^A-Za-z0-9_\-])(--[a-z][a-z\-]*[a-z])/)
                where !options.contains(String(match.1)) {
                    Issue.record("no executable has \(match.1): \(place)")
                }
            }
        }
        // Fewer would mean that they are no longer found.
        #expect(commands >= 40)
    }

    @Test func everyCommandOfThePagesIsOne() throws {
        let tree = try VerbTree.load()
        let pages =
            try ["docs", "examples", "Sources/TaskKit/TaskKit.docc"].flatMap {
                try Self.files(under: $0, suffix: ".md")
            }
            + ["README", "CHANGELOG", "CONTRIBUTING", "SECURITY"].map {
                Self.repository.appending(path: "\($0).md")
            }
        var commands = 0
        for page in pages {
            let text = try String(contentsOf: page, encoding: .utf8)
            let inline = text.matches(of: /`(?:sudo )?(aico(?:-supervisor)? [^`]*)`/).map {
                String($0.1).replacing("\n", with: " ")
            }
            let typed = text.split(separator: "\n").filter { $0.hasPrefix("aico ") }
            for command in inline + typed.map(String.init) {
                commands += 1
                if let fault = Self.fault(in: command, tree) {
                    Issue.record("\(page.lastPathComponent): \(fault): \(command)")
                }
            }
        }
        #expect(commands >= 10)
    }

    /// What stands for a value in a hint, and values that could be put there.
    private static let placeholders = ["X": ["user.x", "7"], "SCHEDULE": ["@daily"]]

    /// What the executable says against a command that a hint names; nil where it takes it.
    ///
    /// The scheduler of the test refuses everything, and no refusal of its is one of usage.
    private static func refusal(of command: [String], root: CommandRoot) -> String? {
        var refusal: String?
        for index in 0..<2 {
            let words = command.map { word in
                placeholders[word].map { $0[min(index, $0.count - 1)] } ?? word
            }
            let run = CommandRun(words, root: root)
            // `schedule check` says on standard output that a schedule is wrong: its answer.
            guard run.status == ExitStatus.usage.rawValue, !run.talk.isEmpty else { return nil }
            refusal = run.talk
        }
        return refusal
    }

    @Test func everyCommandOfAHintIsTakenAsItStands() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in .refusal(.conflict, "this is a test") }
        var commands = 0
        for file in try Self.files(under: "Sources", suffix: ".swift") {
            let source = try String(contentsOf: file, encoding: .utf8)
            for literal in SwiftLiterals(source).literals {
                for command in TypedCommands(in: literal.text).commands {
                    commands += 1
                    if let refusal = Self.refusal(of: command, root: root) {
                        Issue.record(
                            "\(file.lastPathComponent):\(literal.line): \(command): \(refusal)")
                    }
                }
            }
        }
        // Fewer would mean that they are no longer found.
        #expect(commands >= 40)
        #expect(bus.requests.count >= 30, "most of them reach a scheduler")
    }

    /// The detector itself.
    @Test(arguments: [
        "type: aico scheduler update X", "choose, or type: aico scheduler run after it is made",
        "see \"aico scheduler logs\"", "type: aico scheduler create user.x SCHEDULE",
        "type: aico scheduler dlq purge, or not", "aico schedule next \"61 * * * *\"",
        "type: aico scheduler update X --schedule WHEN",
    ])
    func aCommandThatIsRefusedIsFound(text: String) throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in .refusal(.conflict, "this is a test") }
        let commands = TypedCommands(in: text).commands
        #expect(commands.count == 1)
        for command in commands {
            #expect(Self.refusal(of: command, root: root) != nil, "\(command)")
        }
        #expect(bus.requests.isEmpty)
    }

    /// The detector itself: each of these is found, whatever stands around it.
    @Test(arguments: [
        "ask an admin for a key: \"aico keys add NAME --role viewer\"",
        "type: aico scheduler lst", "see \"aico scheduler history --follow\" for it",
        "aico supervisor restart", "sudo aico-supervisor --force", "aico scheduler dlq drop 7",
    ])
    func whatThereIsNotIsFound(text: String) throws {
        #expect(Self.fault(in: text, try VerbTree.load()) != nil)
    }

    @Test(arguments: [
        "aico scheduler run user.x --follow", "type: aico scheduler cancel X",
        "aico --root DIR scheduler list", "look with \"aico scheduler history\" before",
        "aico scheduler create user.x \"@daily\" --timeout 1h -- /bin/ls --all",
        "start it with \"aico-supervisor --root X\"", "aico scheduler dlq purge 7, or --all",
    ])
    func whatThereIsIsNot(text: String) throws {
        #expect(Self.fault(in: text, try VerbTree.load()) == nil)
    }

    @Test func literalsAreReadAsTheCompilerReadsThem() {
        let source = #"""
            // "no \" comment"
            let a = "one \(f("in", 1)) \"two\"" + "three"; let b = #"raw "x" \n"#
            let c = """
                four \
                five
                """
            """#
        let texts = SwiftLiterals(source).literals.map(\.text)
        #expect(texts.prefix(2) == ["one X \"two\"three", #"raw "x" \n"#])
        #expect(texts.count == 3)
        #expect(texts.last?.contains("four five") == true)
    }
}
