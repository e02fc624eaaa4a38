// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import AicoWire
import BusClient
import Testing

@testable import BusServer

struct AdmissionTests {
    private static let clients = [
        AdmittedClient(name: "admin", publicKey: "one", role: .admin),
        AdmittedClient(name: "guest", publicKey: "two", role: .viewer),
        AdmittedClient(name: "copy", publicKey: "one", role: .viewer),
    ]

    @Test func aKeyOfTwoClientsAdmitsNobody() {
        let admission = Admission(Self.clients)
        #expect(admission.name(of: "one") == nil)
        #expect(admission.role(of: "admin") == nil)
        #expect(admission.role(of: "copy") == nil)
        #expect(admission.name(of: "two") == "guest")
        #expect(admission.role(of: "guest") == .viewer)
        #expect(admission.reason(for: "one").contains("admin, copy"))
        #expect(!admission.reason(for: "three").contains("admin"))
    }

    @Test func overTheBusNeitherEnters() throws {
        let bus = try ServedBus(sharedKey: true)
        defer { bus.end() }
        #expect(throws: BusError.self) {
            _ = try bus.client("good", timeout: .seconds(5)).request(topic: "echo", body: [:])
        }
        #expect((bus.seen.incidents["unknown bus.key_refused"] ?? 0) > 0)
    }
}
