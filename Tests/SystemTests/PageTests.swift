// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

/// What the pages show in blocks is what there is.
struct PageTests {
    /// Kinds of blocks; `sh` alone is run.
    private static let kinds: Set = ["sh", "text", "swift", "yaml"]

    @Test func everyBlockSaysWhatItIs() {
        #expect(Page.all.count >= 30)
        for page in Page.all {
            for block in page.blocks where !Self.kinds.contains(block.kind) {
                Issue.record(
                    "\(page):\(block.line): no kind of block: \"\(block.kind)\"; write ```sh or ```text"
                )
            }
        }
    }

    /// A block of text that holds commands would be run by nobody.
    @Test func noCommandStandsAsText() {
        for page in Page.all {
            for block in page.blocks where block.kind == "text" {
                for line in block.lines
                where line.prefixMatch(
                    of: /(?:\$ |sudo )?(?:make|aico|aico-[a-z]+|scripts\/[a-z]+) [a-z-]/)
                    != nil
                {
                    guard !line.hasPrefix("aico-supervisor  ") else { continue }
                    Issue.record("\(page):\(block.line): a command in a block of text: \(line)")
                }
            }
        }
    }

    @Test func commandsAreReadAsAShellReadsThem() {
        let page = Page(
            path: "x",
            text: """
                ```sh
                # what follows
                a 'b # c' "# d"   # e
                f#g \\
                  h

                ```
                ```
                i
                """)
        #expect(page.blocks.map(\.kind) == ["sh", "unclosed"])
        #expect(page.blocks.first?.commands == ["a 'b # c' \"# d\"", "f#g h"])
    }

    /// Nobody types code twice: what the first page of TaskKit shows is the example.
    @Test func codeOfTheFirstPageIsTheExamples() throws {
        let folder = "\(projectDirectory)/examples/folder-size"
        let sources = "\(folder)/Sources/aico-worker-folders-user"
        let files =
            try ["\(folder)/Package.swift"] + directoryEntries(sources).map { "\(sources)/\($0)" }
        let texts = try files.map(textOfFile)
        let page = try #require(
            Page.all.first { $0.path.hasSuffix("FromNothingToARunningType.md") })
        let blocks = page.blocks.filter { $0.kind == "swift" }
        #expect(blocks.count >= 4)
        for block in blocks where !texts.contains(where: { $0.contains(block.text) }) {
            Issue.record("\(page):\(block.line): this code is in no file of examples/folder-size")
        }
    }

    /// `make` lines of the pages, also those within sentences, name targets that there are.
    @Test func everyTargetOfThePagesIsOne() throws {
        let targets = Set(
            try textOfFile("\(projectDirectory)/Makefile").matches(of: /(?m)^([a-z-]+):/).map {
                String($0.1)
            })
        var named = 0
        for page in Page.all {
            let text = try textOfFile("\(projectDirectory)/\(page.path)")
            for match in text.matches(of: /(?m)(?:`|^)(?:sudo )?make ([a-z][a-z-]*)/) {
                named += 1
                if !targets.contains(String(match.1)) {
                    Issue.record("\(page): the Makefile has no target \(match.1)")
                }
            }
        }
        #expect(named >= 20)
    }

    /// Files and folders of the sources that the pages name are there.
    @Test func everyFileOfThePagesIsThere() throws {
        var named = 0
        for page in Page.all where page.path != "CHANGELOG.md" {
            let text = try textOfFile("\(projectDirectory)/\(page.path)")
            // What a page has its reader write.
            let shown = Set(text.matches(of: /`([A-Za-z\/.-]+)`:\n\n```/).map { String($0.1) })
            for match in text.matches(of: /`([A-Za-z0-9_+.\/-]+)`/) {
                let name = String(match.1)
                if shown.contains(name) { continue }
                let isFile = name.hasSuffix(".swift") || name.hasSuffix(".c")
                let isFolder = name.firstMatch(of: /^[A-Z][a-z][A-Za-z]*\/[A-Za-z\/]+$/) != nil
                guard isFile || isFolder else { continue }
                named += 1
                if Self.isThere(name) { continue }
                Issue.record("\(page): there is no \(name)")
            }
        }
        #expect(named >= 60)
    }

    /// Every file and folder below the sources, from the project's directory.
    private static let tree: Set<String> = {
        var paths: Set<String> = []
        var folders = ["Sources", "Tests", "Benchmarks", "examples"]
        while let folder = folders.popLast() {
            paths.insert(folder)
            let names = (try? directoryEntries("\(projectDirectory)/\(folder)")) ?? []
            for name in names where !name.hasPrefix(".") {
                let path = "\(folder)/\(name)"
                if name.contains(".") { paths.insert(path) } else { folders.append(path) }
            }
        }
        return paths
    }()

    /// A name is a path or the end of one; folders between a module and its file may be left out.
    private static func isThere(_ name: String) -> Bool {
        let parts = name.split(separator: "/")
        if parts.count == 1 || fileExists("\(projectDirectory)/\(name)") {
            return parts.count > 1 || tree.contains { $0.hasSuffix("/\(name)") }
        }
        return tree.contains { path in
            let rest = path.split(separator: "/").drop { $0 != parts[0] }
            let end = parts.last.map(String.init) ?? ""
            return !rest.isEmpty && (rest.last == parts.last || rest.last == "\(end).swift")
        }
    }
}
