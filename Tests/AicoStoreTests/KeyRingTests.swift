// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import LinuxSystem
import SystemPackage
import Testing

@testable import AicoKeys

@Suite struct KeyRingTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func firstStartMakesAMasterKeyThatLaterStartsRead() throws {
        let sealed = try KeyRing.open(directory: scratch.path).sealer
            .seal([1, 2, 3], table: "t", column: "c", row: "r")
        let opened = try KeyRing.open(directory: scratch.path).sealer
            .open(sealed, table: "t", column: "c", row: "r")
        #expect(opened == [1, 2, 3])
        #expect(try scratch.mode("master.key") == 0o440)
        let files = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
        #expect(files == ["master.key"])
    }

    @Test func twoFirstStartsAtOnceAgreeOnOneKey() async throws {
        let path = scratch.path
        let seals = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try KeyRing.open(directory: path).sealer
                        .seal([9], table: "t", column: "c", row: "r")
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let sealer = try KeyRing.open(directory: path).sealer
        for sealed in seals {
            #expect(try sealer.open(sealed, table: "t", column: "c", row: "r") == [9])
        }
    }

    @Test(arguments: [0o460, 0o442, 0o444, 0o666])
    func aKeyFileOthersMayWriteOrAllMayReadIsRefused(mode: Int) throws {
        _ = try KeyRing.open(directory: scratch.path)
        try scratch.setMode("master.key", mode)
        #expect {
            try KeyRing.open(directory: scratch.path)
        } throws: { error in
            if case KeyError.unsafeFile? = error as? KeyError { true } else { false }
        }
    }

    @Test func aKeyInADirectoryOthersMayWriteIsRefused() throws {
        _ = try KeyRing.open(directory: scratch.path)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o777], ofItemAtPath: scratch.path)
        #expect(throws: KeyError.self) { try KeyRing.open(directory: scratch.path) }
    }

    @Test func aSymbolicLinkIsRefused() throws {
        try scratch.write("real", String(repeating: "k", count: 32))
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/master.key", withDestinationPath: "real")
        #expect(
            throws: KeyError.file(
                operation: "open", path: scratch.path + "/master.key",
                errno: .tooManySymbolicLinkLevels)
        ) { try KeyRing.open(directory: scratch.path) }
    }

    @Test(arguments: [SystemCall.open, .fchmod, .write, .fsync, .link])
    func aKeyThatCannotBeMadeLeavesNothingBehind(call: SystemCall) throws {
        // The first open is the look for one that stands there, the second the directory's.
        let answers: [Errno?] = call == .open ? [nil, nil, .noSpace] : [.noSpace]
        let run = ForcedErrno.run([call: answers]) {
            #expect(throws: KeyError.self) { try KeyRing.open(directory: scratch.path) }
        }
        #expect(run.isUsedUp)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
    }

    @Test func aKeyOfAnotherLengthIsRefused() throws {
        try scratch.write("master.key", "short")
        #expect(
            throws: KeyError.malformedFile(
                path: scratch.path + "/master.key", reason: "has 5 bytes in place of 32")
        ) { try KeyRing.open(directory: scratch.path) }
    }

    @Test func aMissingKeyOfADatabaseIsNotReplaced() throws {
        let path = scratch.path + "/master.key"
        let error = KeyError.masterKeyMissing(path: path)
        #expect(throws: error) { try KeyRing.open(directory: scratch.path, createIfMissing: false) }
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect("\(error)".contains("put the saved key back"))
        _ = try KeyRing.open(directory: scratch.path)
        #expect(throws: Never.self) {
            try KeyRing.open(directory: scratch.path, createIfMissing: false)
        }
    }

    @Test func aMissingDirectoryIsNamed() {
        #expect(throws: KeyError.self) { try KeyRing.open(directory: scratch.path + "/none") }
    }
}

@Suite struct SealerTests {
    let ring = KeyRing(masterKey: [UInt8](repeating: 7, count: 32))

    @Test func aValueOpensOnlyInItsOwnPlace() throws {
        let sealer = ring.sealer
        let sealed = try sealer.seal(Array("secret".utf8), table: "t", column: "c", row: "1")
        #expect(try sealer.open(sealed, table: "t", column: "c", row: "1") == Array("secret".utf8))
        for (table, column, row) in [("u", "c", "1"), ("t", "d", "1"), ("t", "c", "2")] {
            #expect(throws: KeyError.notAuthentic(subject: "\(table).\(column) of \"\(row)\"")) {
                try sealer.open(sealed, table: table, column: column, row: row)
            }
        }
    }

    @Test func everyChangedByteIsNoticed() throws {
        let sealer = ring.sealer
        let sealed = try sealer.seal([1, 2, 3, 4], table: "t", column: "c", row: "1")
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: KeyError.self) {
                try sealer.open(changed, table: "t", column: "c", row: "1")
            }
        }
        #expect(throws: KeyError.malformedSeal(subject: "t.c of \"1\"")) {
            try sealer.open(Array(sealed[..<31]), table: "t", column: "c", row: "1")
        }
    }

    @Test func theTextIsNotInTheSealAndNoTwoSealsAreAlike() throws {
        let text = Array("a text long enough to be found again".utf8)
        let sealed = try ring.sealer.seal(text, table: "t", column: "c", row: "1")
        #expect(Data(sealed).range(of: Data(text)) == nil)
        #expect(try ring.sealer.seal(text, table: "t", column: "c", row: "1") != sealed)
    }

    @Test func anOlderVersionOpensAndAnUnknownOneIsNamed() throws {
        let master = [UInt8](repeating: 7, count: 32)
        let old = try ring.sealer.seal([5], table: "t", column: "c", row: "1")
        let newRing = KeyRing(masterKey: master, currentVersion: 2)
        #expect(try newRing.sealer.open(old, table: "t", column: "c", row: "1") == [5])
        let new = try newRing.sealer.seal([6], table: "t", column: "c", row: "1")
        #expect(throws: KeyError.unknownVersion(subject: "t.c of \"1\"", version: 2)) {
            try ring.sealer.open(new, table: "t", column: "c", row: "1")
        }
    }

    @Test func anotherMasterKeyDoesNotOpen() throws {
        let sealed = try ring.sealer.sealText([1], table: "t", column: "c", row: "1")
        let other = KeyRing(masterKey: [UInt8](repeating: 8, count: 32)).sealer
        #expect(throws: KeyError.notAuthentic(subject: "t.c of \"1\"")) {
            try other.openText(sealed, table: "t", column: "c", row: "1")
        }
        #expect(throws: KeyError.malformedSeal(subject: "t.c of \"1\"")) {
            try other.openText("not base64!", table: "t", column: "c", row: "1")
        }
    }
}
