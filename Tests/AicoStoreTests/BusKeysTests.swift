// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import Testing

@testable import AicoKeys

@Suite struct BusKeysTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func open() throws -> BusKeys {
        var drawn = 0
        return try BusKeys.open(directory: scratch.path) {
            drawn += 1
            return pair(Character(String(drawn)))
        }
    }

    private func pair(_ filler: Character) -> CurvePair {
        CurvePair(
            publicKey: String(repeating: filler, count: 40),
            secretKey: String(repeating: filler, count: 39) + "#")
    }

    @Test func firstStartMakesTheServersPairAndOneAdmin() throws {
        let keys = try open()
        #expect(keys.server == pair("1"))
        #expect(
            keys.clients == [
                AdmittedClient(name: "admin", publicKey: pair("2").publicKey, role: .admin)
            ])
        #expect(try scratch.mode("bus.key") == 0o440)
        #expect(try scratch.mode("clients/admin.key") == 0o440)
        let text = try String(contentsOfFile: scratch.path + "/clients/admin.key", encoding: .utf8)
        #expect(
            text == """
                public \(pair("2").publicKey)
                secret \(pair("2").secretKey)
                server \(pair("1").publicKey)
                role admin

                """)
    }

    @Test func laterStartsReadWhatStands() throws {
        let first = try open()
        #expect(try BusKeys.open(directory: scratch.path) { pair("9") } == first)
    }

    @Test func aClientIsAddedOnceUnderASafeName() throws {
        let server = try open().server
        func add(_ name: String) throws {
            try BusKeys.addClient(
                name, role: .viewer, pair: pair("5"), server: server, directory: scratch.path)
        }
        try add("phone")
        #expect(try BusKeys.clients(directory: scratch.path).map(\.name) == ["admin", "phone"])
        #expect(throws: KeyError.self) { try add("phone") }
        for name in ["", "../evil", "a b", "UPPER", String(repeating: "x", count: 65)] {
            #expect(throws: KeyError.self) { try add(name) }
        }
    }

    @Test(arguments: [
        "public short\nrole admin\n", "role admin\n",
        "public \(String(repeating: "1", count: 40))\nrole king\n",
        "public \(String(repeating: "1", count: 40))\n",
        "public \(String(repeating: "\"", count: 40))\nrole admin\n",
        "nonsense\n",
    ])
    func aMalformedClientFileIsRefusedByPath(text: String) throws {
        _ = try open()
        try scratch.write("clients/bad.key", text)
        #expect {
            try BusKeys.clients(directory: scratch.path)
        } throws: { error in
            guard case KeyError.malformedFile(let path, _)? = error as? KeyError else {
                return false
            }
            return path.hasSuffix("clients/bad.key")
        }
    }

    @Test func aClientFileOthersMayWriteIsRefused() throws {
        _ = try open()
        try scratch.setMode("clients/admin.key", 0o460)
        #expect(throws: KeyError.self) { try BusKeys.clients(directory: scratch.path) }
    }

    @Test func rolesAreOrdered() {
        #expect(ClientRole.viewer < .operator)
        #expect(ClientRole.operator < .admin)
    }
}
