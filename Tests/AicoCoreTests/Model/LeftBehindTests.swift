// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct LeftBehindTests {
    @Test func namesAreCleanedOnceEachAndBounded() throws {
        let seen = ["sh", "sleep", "sleep", "a b", "x,y", "\u{1B}[31m", "d\u{E4}mon", ""]
        let left = try #require(LeftBehind(seen: seen.map { Array($0.utf8) }))
        #expect(left.count == 8)
        #expect(left.names == ["sh", "sleep", "a?b", "x?y", "?[31m", "d??mon"])
        let many = (0..<100).map { Array("process number \($0)".utf8) }
        let crowd = try #require(LeftBehind(seen: many))
        #expect(crowd.count == 100 && crowd.names == ["process?number?"])
        let different = (0..<100).map { Array("p\($0)".utf8) }
        #expect(LeftBehind(seen: different)?.names == (0..<8).map { "p\($0)" })
        #expect(LeftBehind(seen: []) == nil)
        let nameless = try #require(LeftBehind(seen: [[]]))
        #expect(nameless.count == 1 && nameless.names == [])
    }

    @Test(
        arguments: [
            (0, []), (1, ["a", "b"]), (2, ["a", "a"]), (1, [""]), (1, ["a b"]), (1, ["a\u{7F}"]),
            (1, [String(repeating: "a", count: 16)]), (UInt32.max, ["a"]),
            (9, (0..<9).map { "\($0)" }),
        ] as [(UInt32, [String])])
    func whatIsNotCleanIsRefused(count: UInt32, names: [String]) {
        #expect(LeftBehind(count: count, names: names) == nil)
    }
}
