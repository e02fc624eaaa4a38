// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

/// What these tests leave of the host.
struct HostFilesTests {
    /// As the tasks of `StormTests` make them: names that are no text, and links that lead out.
    @Test func aTreeIsRemovedWhateverItsNames() throws {
        let root = try temporaryDirectory("tree")
        let kept = try temporaryDirectory("kept")
        defer { removeTree(kept) }
        try writeFile("", to: "\(kept)/file")
        let deep = root.utf8CString.dropLast() + [0x2F, -0x38, 0x4A, -1, 0]
        try #require(mkdir(Array(deep), 0o700) == 0)
        let below = deep.dropLast() + [0x2F, -0x80, 0]
        try #require(close(open(Array(below), O_CREAT | O_WRONLY, 0o600)) == 0)
        try #require(symlink(kept, "\(root)/link") == 0)
        removeTree(root)
        #expect(!fileExists(root))
        #expect(fileExists("\(kept)/file"))
    }
}
