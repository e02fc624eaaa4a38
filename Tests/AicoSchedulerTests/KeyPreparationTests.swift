// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
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
