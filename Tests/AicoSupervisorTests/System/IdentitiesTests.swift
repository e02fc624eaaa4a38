// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import AicoSupervisor

@Suite struct IdentitiesTests {
    /// uid and gid of scheduler, maintenance, security, agency, user, compiler.
    static let words: [UInt32] = [
        61000, 62000, 61001, 62001, 61002, 62002, 61003, 62003, 0x0102_0304, 62004, 61005,
        62005,
    ]

    static func encoded(_ words: [UInt32]) -> [UInt8] {
        words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    }

    static func changed(_ index: Int, to word: UInt32) -> [UInt32] {
        var words = words
        words[index] = word
        return words
    }

    @Test func decodesPairsInTheOrderOfTheClasses() throws {
        let identities = try #require(Identities(decoding: Self.encoded(Self.words)))
        #expect(identities.scheduler == Identities.Identity(user: 61000, group: 62000))
        for (index, taskClass) in TaskClass.allCases.enumerated() {
            let identity = identities[taskClass]
            #expect(identity.user == Self.words[2 + 2 * index], "\(taskClass)")
            #expect(identity.group == Self.words[3 + 2 * index], "\(taskClass)")
        }
        #expect(identities[.user].user == 0x0102_0304, "little endian")
        #expect(identities.compiler == Identities.Identity(user: 61005, group: 62005))
    }

    @Test func anyOtherLengthIsRefused() {
        let bytes = Self.encoded(Self.words)
        for count in 0..<bytes.count {
            #expect(Identities(decoding: Array(bytes[..<count])) == nil, "\(count) bytes")
        }
        #expect(Identities(decoding: bytes + [0]) == nil)
        #expect(Identities(decoding: bytes + bytes) == nil)
    }

    @Test(arguments: 0..<12) func rootAndUnchangedAreNobodysNumber(index: Int) {
        #expect(Identities(decoding: Self.encoded(Self.changed(index, to: 0))) == nil)
        #expect(Identities(decoding: Self.encoded(Self.changed(index, to: .max))) == nil)
        // The control: another number in the same place.
        #expect(Identities(decoding: Self.encoded(Self.changed(index, to: 7))) != nil)
    }

    @Test(arguments: [0, 2, 4, 6, 10]) func noTwoMayShareAUid(index: Int) {
        let words = Self.changed(8, to: Self.words[index])
        #expect(Identities(decoding: Self.encoded(words)) == nil)
    }

    @Test func twoMayShareAGid() {
        let words = Self.changed(9, to: Self.words[1])
        #expect(Identities(decoding: Self.encoded(words)) != nil)
    }
}
