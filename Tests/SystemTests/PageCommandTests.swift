// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

/// Every command in a block of a page does what it should, against a running system.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason), .oneInstance)
struct PageCommandTests {
    /// Pages whose commands start a system of their own, and the suite that runs them.
    static let elsewhere = [
        "docs/taskkit.md": "SampleTests",
        "Sources/TaskKit/TaskKit.docc/FromNothingToARunningType.md": "ExampleTests",
    ]

    /// The other pages with commands.
    static let pages = Page.all.filter { !$0.commands.isEmpty && elsewhere[$0.path] == nil }

    @Test func commandsAreFound() {
        #expect(Self.pages.map(\.path).contains("README.md"))
        #expect(Self.pages.reduce(0) { $0 + $1.commands.count } >= 25)
        for path in Self.elsewhere.keys where !Page.all.contains(where: { $0.path == path }) {
            Issue.record("there is no page \(path)")
        }
        let all = Set(Page.all.flatMap(\.commands))
        for command in PageScript.left.keys where !all.contains(command) {
            Issue.record("no page has the command that is left out: \(command)")
        }
    }

    @Test(arguments: pages) func commandsOfAPageAreDone(page: Page) throws {
        let instance = try OneInstance.shared()
        let scratch = try temporaryDirectory("pages")
        defer { removeTree(scratch) }
        let script = PageScript(
            page.commands,
            places: [
                ("$PWD/.build-release/release", instance.bin),
                ("/tmp/aico", instance.root), ("/tmp/profiles", "\(scratch)/profiles"),
                // An installed system's, as those of a root are numbered.
                ("/var/lib/aico/", "\(instance.root)/var/lib/aico/"),
                ("aico:aico-maintenance", "61000:61001"), ("aico:aico-security", "61000:61002"),
            ])
        let before = try Self.owners(below: instance.root)
        let (output, status) = try script.run(bin: instance.bin, root: instance.root)
        #expect(status == 0, "\(page): \(output)")
        // What a page says of owners and modes, as after a restore, is what they are.
        let after = try Self.owners(below: instance.root)
        #expect(before.count >= 6)
        for (path, was) in before where after[path] != nil {
            #expect(after[path] == was, "\(page): \(path)")
        }
    }

    /// The detector itself.
    @Test func aCommandThatFailsIsFound() throws {
        let instance = try OneInstance.shared()
        for command in ["aico scheduler show user.nobody", "make no-such-target", "frobnicate"] {
            let script = PageScript([command, "true"], places: [])
            #expect(try script.run(bin: instance.bin, root: instance.root).status != 0)
        }
    }

    /// Owner, group and mode of store and keys.
    private static func owners(below root: String) throws -> [String: String] {
        var owners: [String: String] = [:]
        for folder in ["store", "keys", "keys/clients"] {
            let path = "\(root)/var/lib/aico/\(folder)"
            for name in try [""] + directoryEntries(path) {
                var status = stat()
                guard lstat("\(path)/\(name)", &status) == 0 else { continue }
                let mode = String(status.st_mode & 0o7777, radix: 8)
                owners["\(folder)/\(name)"] = "\(status.st_uid):\(status.st_gid) \(mode)"
            }
        }
        return owners
    }
}

extension Page {
    /// All of its commands, in their order.
    var commands: [String] { blocks.filter { $0.kind == "sh" }.flatMap(\.commands) }
}
