// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoStore
import Foundation
import Testing

@testable import AicoKeys
@testable import AicoScheduler

/// The keys at a scheduler's start: the first, later ones, and with something amiss.
@Suite struct KeyPreparationTests {
    let root: InstanceRoot
    let layout: InstanceLayout

    init() throws {
        root = try InstanceRoot()
        layout = InstanceLayout(root: root.path)
    }

    @Test func noNewMasterKeyIsMadeBesideADatabase() throws {
        _ = try KeyRing.prepare(layout: layout)
        try root.write("", to: "var/lib/aico/store/aico.db")
        _ = try KeyRing.prepare(layout: layout)
        let path = layout.keys + "/master.key"
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: KeyError.masterKeyMissing(path: path)) {
            try KeyRing.prepare(layout: layout)
        }
        #expect(KeyRing.problem(layout: layout) == .masterKeyMissing(path: path))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func theCheckFindsWhatWouldStopTheStart() throws {
        #expect(KeyRing.problem(layout: layout) == nil, "there is no database yet")
        #expect(BusKeys.serverProblem(directory: layout.keys) == nil, "a start makes it")
        try root.write("", to: "var/lib/aico/store/aico.db")
        try root.write("short", to: "var/lib/aico/keys/master.key", mode: 0o440)
        try root.write("public 1\n", to: "var/lib/aico/keys/bus.key", mode: 0o440)
        #expect(
            "\(KeyRing.problem(layout: layout), default: "")".contains("5 bytes in place of 32"))
        #expect(
            "\(BusKeys.serverProblem(directory: layout.keys), default: "")".contains(
                "line 1: public"))
    }

    /// As long and as safe as the right one, and another: nothing is read or made with it.
    @Test func theCheckFindsTheKeyOfAnotherDatabase() throws {
        let store = try root.store()
        #expect(KeyRing.problem(layout: layout) == nil, "it is in use")
        try store.close()
        let path = "\(layout.keys)/master.key"
        let right = try Data(contentsOf: URL(fileURLWithPath: path))
        let before = try Data(contentsOf: URL(fileURLWithPath: layout.database))
        #expect(KeyRing.problem(layout: layout) == nil)
        try FileManager.default.removeItem(atPath: path)
        try root.write(
            "0123456789abcdef0123456789abcdef", to: "var/lib/aico/keys/master.key", mode: 0o440)
        let problem = KeyRing.problem(layout: layout)
        #expect(problem == .masterKeyWrong(path: path, database: layout.database))
        let words = "\(problem, default: "")"
        #expect(words.contains("\"\(path)\": it is not the key that the database"))
        #expect(words.contains("put the saved key back") && words.contains("is as it was"))
        let names = try FileManager.default.contentsOfDirectory(
            atPath: "\(root.path)/var/lib/aico/store")
        #expect(names == ["aico.db"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: layout.database)) == before)
        try FileManager.default.removeItem(atPath: path)
        try right.write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o440], ofItemAtPath: path)
        #expect(KeyRing.problem(layout: layout) == nil)
        // What is no database says nothing of keys.
        try root.write("no database", to: "var/lib/aico/store/aico.db")
        #expect(KeyRing.problem(layout: layout) == nil)
    }

    @Test(
        arguments: [
            (StoreError(operation: "open", subject: "s", cause: .wrongKey), 78),
            (StoreError(operation: "open", subject: "s", cause: .noSpace), 70),
            (KeyError.masterKeyMissing(path: "p"), 78),
            (KeyError.masterKeyWrong(path: "p", database: "d"), 78),
            (KeyError.malformedFile(path: "p", reason: "r"), 78),
            (KeyError.unsafeFile(path: "p", reason: "r"), 78),
            (KeyError.malformedSeal(subject: "s"), 70),
        ] as [(any Error, Int32)])
    func withoutItsKeysAStartIsNotTriedAgain(error: any Error, status: Int32) {
        #expect(SchedulerProgram.status(of: error) == status)
    }

    @Test func badKeysOfTheSystemsOwnClientsStopNothing() throws {
        let first = try BusKeys.prepare(layout: layout)
        #expect(first.clients.map(\.name) == ["admin", "maintenance"])
        let laidOut = layout.runtime + "/bus/maintenance.key"
        #expect(FileManager.default.fileExists(atPath: laidOut))
        for name in ["admin", "maintenance"] {
            let path = "var/lib/aico/keys/clients/\(name).key"
            try FileManager.default.removeItem(atPath: "\(root.path)/\(path)")
            try root.write("", to: path, mode: 0o440)
        }
        let keys = try BusKeys.prepare(layout: layout)
        #expect(keys.server == first.server)
        #expect(keys.clients == [])
        #expect(
            keys.problems.map(\.path)
                == ["admin", "maintenance"].map { "\(layout.clientKeys)/\($0).key" })
        #expect(!FileManager.default.fileExists(atPath: laidOut), "a key that opens nothing")
    }
}
