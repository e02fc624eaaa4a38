// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import BusServer
import Glibc
import Testing

@testable import AicoScheduler

/// Whose the bus's sockets are by the settings.
struct SocketUsersTests {
    @Test(arguments: [
        (SocketUsers.auto, "", UInt32(0o660)), (.auto, "/r", 0o666), (.group, "/r", 0o660),
        (.everybody, "", 0o666), (.root, "", 0o600), (.root, "/r", 0o600),
    ])
    func socketsAreForWhomTheSettingsName(users: SocketUsers, root: String, mode: UInt32) throws {
        let instance = try InstanceRoot()
        var settings = try Configuration.load(root: instance.path).bus
        #expect(settings.socketUsers == .auto)
        settings.socketUsers = users
        let endpoints = BusServer.Endpoints(settings, layout: InstanceLayout(root: root))
        let bus = try #require(endpoints.requests.first)
        let events = try #require(endpoints.events.first)
        #expect(bus.endpoint == "ipc://\(root)/run/aico/bus/bus.sock")
        #expect(bus.mode == mode && events.mode == mode)
        #expect(bus.group == (mode == 0o660 ? getegid() : nil) && events.group == bus.group)
        // Health checks get there whatever is said.
        let health = try #require(endpoints.requests.dropFirst().first)
        #expect(health.endpoint == "ipc://\(root)/run/aico/bus/health.sock")
        #expect(health.mode == 0o660 && health.group == nil)
    }
}
