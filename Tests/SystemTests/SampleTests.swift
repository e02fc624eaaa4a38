// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import Testing

/// What docs/taskkit.md shows, done as it stands: from an empty folder outside of the tree to a type
/// that runs in a system of its own.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct SampleTests {
    private let page: String
    private let commands: [String]
    /// What the page shows as a file's text.
    private let files: [(path: String, text: String)]

    init() throws {
        page = try textOfFile("\(projectDirectory)/docs/taskkit.md")
        commands = Page(path: "docs/taskkit.md", text: page).commands
        files = page.matches(of: /`([A-Za-z\/.-]+)`:\n\n```(?:swift|yaml)\n([^`]*)```/).map {
            (String($0.1), String($0.2))
        }
    }

    /// One shell that ends at the first command that fails.
    private func run(
        _ commands: some Sequence<String>, places: [(String, String)], root: String
    ) throws -> String {
        let script = commands.map { command in
            places.reduce(command) { $0.replacing($1.0, with: $1.1) }
        }.joined(separator: "\n")
        let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
        let shell = try HostProcess(
            ["/bin/sh", "-euc", script],
            environment: ["PATH=\(environmentPath)", "HOME=\(home)", "AICO_ROOT=\(root)"])
        // The first build compiles TaskKit: a minute on two processors.
        let said = shell.remainingOutput(within: .seconds(300))
        guard shell.waitForEnd(within: .seconds(10)) == 0 else {
            throw SystemFailure("\(script)\n\(said)")
        }
        return said
    }

    @Test func thePageShowsEachFileOnce() {
        #expect(
            files.map(\.path) == [
                "Package.swift", "Sources/acme-worker-user/CountLines.swift",
                "Sources/acme-worker-user/main.swift", "/etc/aico/core.yaml",
            ])
    }

    /// Outside of the tree, and the same each time: what the compiler keeps names its paths.
    private func folder() throws -> String {
        var status = stat()
        try #require(stat(projectDirectory, &status) == 0)
        let path = "/var/tmp/aico-sample-\(status.st_ino)"
        removeTree(path)
        try #require(mkdir(path, 0o755) == 0)
        return path
    }

    @Test(.enabled(if: !Built.isGuest, "builds a package, which needs a toolchain there"))
    func anEmptyFolderBecomesATypeThatRuns() throws {
        let scratch = try folder()
        let root = try temporaryDirectory("root")
        let bin = try linkedExecutables()
        defer { for directory in [scratch, root, bin] { removeTree(directory) } }
        try #require(
            link("\(try #require(Built.directory))/aico", "\(bin)/aico") == 0
                && symlink(projectDirectory, "\(scratch)/aico-task-supervisor") == 0)
        // What is compiled of TaskKit is kept for the next time.
        mkdir("\(scratch)/acme", 0o755)
        mkdir("\(projectDirectory)/.build/sample", 0o755)
        try #require(
            symlink("\(projectDirectory)/.build/sample", "\(scratch)/acme/.build") == 0)
        let places = [
            ("~/acme", "\(scratch)/acme"), ("sudo ", ""), ("/usr/lib/aico/", "\(bin)/"),
            ("/etc/aico/sandbox-profiles", "\(projectDirectory)/sandbox-profiles"),
            ("aico supervisor", "\(bin)/aico supervisor"),
            ("aico scheduler", "\(bin)/aico scheduler"),
        ]
        let enter = try #require(commands.firstIndex { $0.hasPrefix("cd ") })
        let check = try #require(commands.firstIndex { $0.contains("--check") })
        let restart = try #require(commands.firstIndex { $0.contains("systemctl") })
        _ = try run(commands[...enter], places: places, root: root)
        for file in files where !file.path.hasPrefix("/") {
            try writeFile(file.text, to: "\(scratch)/acme/\(file.path)")
        }
        let built = try run(
            ["cd '\(scratch)/acme'"] + commands[(enter + 1)..<check], places: places, root: root)
        #expect(built.contains("\"id\":\"user.count_lines\""), "what --describe prints")

        for part in ["etc", "etc/aico"] { mkdir("\(root)/\(part)", 0o755) }
        let settings = try #require(files.last)
        try writeFile(settings.text, to: "\(root)\(settings.path)")
        let checked = try run(commands[check..<restart], places: places, root: root)
        #expect(checked.contains("in order") && !checked.contains("warning"), "\(checked)")

        let supervisor = try HostProcess([
            "\(bin)/aico-supervisor", "--root", root, "--profiles",
            "\(projectDirectory)/sandbox-profiles",
        ])
        defer {
            supervisor.signal(SIGTERM)
            _ = supervisor.waitForEnd(within: Built.patience(seconds: 30))
        }
        let isReady = supervisor.waitForLine("ready", within: Built.patience(seconds: 60))
        #expect(isReady, "\(supervisor.lines)")
        let said = try run(commands[(restart + 1)...], places: places, root: root)
        #expect(said.contains("worker acme-worker-user") && said.contains("user.count_lines"))
        let lines = try textOfFile("/etc/passwd").split(separator: "\n").count + 1
        #expect(said.contains("counted \(lines) lines"), "\(said)")
        #expect(said.contains("succeeded"), "\(said)")
    }
}
