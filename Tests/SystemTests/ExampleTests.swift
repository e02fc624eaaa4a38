// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import Testing

/// What is in `examples/` works as it stands.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason), .oneInstance)
struct ExampleTests {
    private static let examples = "\(projectDirectory)/examples"
    static let profiles = (try? directoryEntries("\(examples)/profiles")) ?? []

    private func run(_ words: [String]) throws -> (output: String, status: Int32) {
        let process = try HostProcess(
            words, environment: ["PATH=\(environmentPath)", "HOME=/tmp"])
        let output = process.remainingOutput(within: Built.patience(seconds: 60))
        let raw = process.waitForEnd(within: Built.patience(seconds: 10)) ?? 9
        return (output, (raw >> 8) & 0xFF)
    }

    @Test func thereAreFiveProfiles() { #expect(Self.profiles.count == 5) }

    /// Each beside the shipped ones: comments, documented keys, and the compiler.
    @Test(arguments: profiles) func profileIsAccepted(name: String) throws {
        let instance = try OneInstance.shared()
        let directory = try temporaryDirectory("profiles")
        defer { removeTree(directory) }
        mkdir("\(directory)/include", 0o755)
        for part in ["", "include/"] {
            let source = "\(projectDirectory)/sandbox-profiles/\(part)"
            for file in try directoryEntries(source) where file.hasSuffix(".yaml") {
                try copyFile("\(source)\(file)", to: "\(directory)/\(part)\(file)", mode: 0o644)
            }
        }
        let lint = ["\(projectDirectory)/scripts/lint-profiles", instance.bin, directory]
        let user = "\(directory)/user.yaml"
        let example = "\(Self.examples)/profiles/\(name)/user.yaml"
        try copyFile(example, to: user, mode: 0o644)
        let (output, status) = try run(lint)
        #expect(status == 0, "\(output)")
        // Accepted for what it says, and not because nobody looked.
        try writeFile(textOfFile(example) + "permit: all\n", to: user)
        let (refusal, refused) = try run(lint)
        #expect(refused != 0 && refusal.contains("user.yaml"), "\(refusal)")
    }

    /// Its commands in their order: from a folder with a package to an execution that succeeded.
    @Test(.enabled(if: !Built.isGuest, "compiles, which takes minutes there"))
    func firstPageOfTaskKitEndsWithARunningType() throws {
        let page = try #require(
            Page.all.first { $0.path.hasSuffix("FromNothingToARunningType.md") })
        let scratch = try temporaryDirectory("first")
        let root = try temporaryDirectory("root")
        defer { for directory in [scratch, root] { removeTree(directory) } }
        let built = try Example.link(into: scratch)
        let bin = try #require(Built.directory)
        let places = [
            ("examples/folder-size/.build/release/aico-worker-folders-user", built),
            (".build-release/release", bin), ("/tmp/folders", "\(scratch)/folders"),
            ("/tmp/aico", root), ("$PWD", projectDirectory),
        ]
        let start = try #require(page.commands.firstIndex { $0.contains("aico-supervisor --root") })
        let before = PageScript(Array(page.commands[..<start]), places: places)
        let made = try before.run(bin: bin, root: root)
        #expect(made.status == 0, "\(made.output)")
        #expect(made.output.contains("\"id\":\"user.folder_size\""), "what --describe prints")

        let line = PageScript([page.commands[start]], places: places).lines[0]
        let supervisor = try HostProcess(line.dropLast(2).split(separator: " ").map(String.init))
        defer {
            supervisor.signal(SIGTERM)
            _ = supervisor.waitForEnd(within: Built.patience(seconds: 30))
        }
        let said = supervisor.waitForLine("ready", within: Built.patience(seconds: 60))
        #expect(said, "\(supervisor.lines)")
        try writeFile("12345678", to: "\(root)/var/lib/aico/work/eight")
        let after = PageScript(Array(page.commands[(start + 1)...]), places: places)
        let ran = try after.run(bin: bin, root: root)
        #expect(ran.status == 0, "\(ran.output)")
        #expect(ran.output.contains("1 files, 0 MiB"), "\(ran.output)")
    }

    /// `Example` builds its sources; this is what is left of its package.
    @Test(.enabled(if: !Built.isGuest, "asks the package manager, which needs a toolchain there"))
    func packageOfTheExampleNamesWhatThereIs() throws {
        let scratch = try temporaryDirectory("package")
        defer { removeTree(scratch) }
        let (text, status) = try run([
            "swift", "package", "--package-path", "\(Self.examples)/folder-size",
            "--scratch-path", scratch, "dump-package",
        ])
        #expect(status == 0, "\(text)")
        #expect(text.contains("aico-worker-folders-user"))
        let ours = try textOfFile("\(projectDirectory)/Package.swift")
        for name in ["aico-task-supervisor", "TaskKit"] {
            #expect(text.contains("\"\(name)\"") && ours.contains("name: \"\(name)\""), "\(name)")
        }
    }

    private func client(_ words: String...) throws -> (output: String, status: Int32) {
        let script = "\(Self.examples)/python-client/aico_bus.py"
        return try run([script, "--root", OneInstance.shared().root] + words)
    }

    @Test func pythonClientAsksAndIsRefused() throws {
        let (output, status) = try client("ask", "scheduler.health")
        #expect(status == 0, "\(output)")
        let health = try JSONValue.parse(Array(output.utf8))
        #expect(health["workers"]?.array?.count == 4)
        let refused = try client("ask", "scheduler.task.status", "{\"task\":\"user.nobody\"}")
        #expect(refused.status == 1 && refused.output.contains("not_found"), "\(refused.output)")
        // Half of a character pair is JSON to Python, and not to the scheduler, which cannot say
        // which request it refuses.
        let unread = try client("ask", "scheduler.task.status", "{\"task\":\"\\ud800\"}")
        #expect(unread.status == 1 && unread.output.contains("malformed"), "\(unread.output)")
    }

    @Test func pythonClientRunsATaskAndHearsItsLines() throws {
        let instance = try OneInstance.shared()
        for (task, code) in [("user.heard", 0), ("user.failing", 7)] {
            try instance.makeTask(
                task, argv: ["/bin/sh", "-c", "echo one; echo two; exit \(code)"],
                client: instance.client())
            let (output, status) = try client("run", task)
            #expect(status == (code == 0 ? 0 : 1), "\(output)")
            #expect(output.hasPrefix("one\ntwo\n{"), "\(output)")
        }
    }

    @Test func pythonClientHearsEvents() throws {
        let instance = try OneInstance.shared()
        let script = "\(Self.examples)/python-client/aico_bus.py"
        let watch = try HostProcess([script, "--root", instance.root, "watch"])
        #expect(watch.waitForLine("aico_bus: listening", within: Built.patience(seconds: 30)))
        let client = try instance.client()
        try instance.makeTask("user.watched", argv: ["/bin/true"], client: client)
        let execution = try instance.run("user.watched", client: client)
        for event in ["started", "finished"] {
            let topic = "scheduler.event.execution.\(event) "
            #expect(watch.waitForLine(topic, within: Built.patience(seconds: 30)))
            #expect(watch.lines.last?.contains(execution) == true, "\(watch.lines)")
        }
        watch.signal(SIGINT)
        #expect(watch.waitForEnd(within: Built.patience(seconds: 10)) == 130 << 8)
    }

    @Test func pythonClientWithoutASystemSaysSo() throws {
        let root = try temporaryDirectory("empty")
        defer { removeTree(root) }
        let script = "\(Self.examples)/python-client/aico_bus.py"
        let (output, status) = try run([script, "--root", root, "ask", "scheduler.health"])
        #expect(status == 2 && output.hasPrefix("aico_bus: "), "\(output)")
    }
}
