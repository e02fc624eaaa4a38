// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import AicoWire
import BusClient
import Testing

@testable import BusServer

struct AdmittedKeysTests {
    private static let clients = [
        AdmittedClient(name: "admin", publicKey: "one", role: .admin),
        AdmittedClient(name: "guest", publicKey: "two", role: .viewer),
        AdmittedClient(name: "copy", publicKey: "one", role: .viewer),
    ]

    @Test func aKeyOfTwoClientsAdmitsNobody() {
        let keys = AdmittedKeys(Self.clients)
        #expect(keys.name(of: "one") == nil)
        #expect(keys.role(of: "admin") == nil)
        #expect(keys.role(of: "copy") == nil)
        #expect(keys.name(of: "two") == "guest")
        #expect(keys.role(of: "guest") == .viewer)
        #expect(keys.reason(for: "one").contains("admin, copy"))
        #expect(!keys.reason(for: "three").contains("admin"))
    }

    @Test func overTheBusNeitherEnters() throws {
        let bus = try ServedBus(sharedKey: true)
        defer { bus.end() }
        #expect(throws: BusError.self) {
            _ = try bus.client("good", timeout: .seconds(5)).request(topic: "echo", body: [:])
        }
        #expect(bus.incidents("unknown bus.key_refused") > 0)
    }
}
