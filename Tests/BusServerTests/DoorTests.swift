// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import Testing
import ZeroMQ

@testable import BusServer

/// Two doors, whose connections have each other's descriptors one after the other.
@Suite(.serialized)
struct DoorTests {
    private final class Entrance {
        let socket: ZMQSocket
        let door: Door
        let path: String
        var floods = 0

        init(_ kind: ZMQSocket.Kind, _ path: String, in context: ZMQContext) throws {
            self.path = path
            socket = try ZMQSocket(kind, in: context)
            // Less than the first bytes of a greeting.
            door = try Door(of: socket, limits: BusServer.Limits(), inflow: 5, message: 5)
            try socket.bind("ipc://\(path)")
            door.endpoints = ["ipc://\(path)"]
        }

        /// Reads what happened at the door.
        func watch() throws {
            try door.watch(
                gone: { _ in }, fault: { fault, _ in if fault == .flood { floods += 1 } })
        }

        func waitForNews() throws {
            #expect(try door.monitor.socket.wait(timeout: .seconds(10)))
        }
    }

    private static let greeting: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F]

    private static func connect(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, length) == 0
            }
        }
        try #require(isConnected)
        return descriptor
    }

    /// Reads until the other side has closed its descriptor.
    private static func readToEnd(_ descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(descriptor, &bytes, bytes.count) > 0 {}
    }

    /// The news of a connection that is gone come after those of the one that has its number: it
    /// is counted all the same.
    @Test func aNumberThatWentToTheOtherDoorIsCountedThere() throws {
        let base = "/tmp/aico-door-\(UInt32.random(in: 0...UInt32.max))"
        let context = try ZMQContext()
        let first = try Entrance(.router, "\(base).a", in: context)
        let second = try Entrance(.xpub, "\(base).b", in: context)
        defer { for path in [first.path, second.path] { unlink(path) } }

        let former = try Self.connect(first.path)
        shutdown(former, Int32(SHUT_WR))
        Self.readToEnd(former)
        close(former)
        let client = try Self.connect(second.path)
        defer { close(client) }
        try second.waitForNews()
        try second.watch()
        #expect(second.door.connections.count == 1)
        try first.waitForNews()
        try first.watch()
        #expect(first.door.connections.count == 0)

        #expect(write(client, Self.greeting, Self.greeting.count) == Self.greeting.count)
        Self.readToEnd(client)
        try second.waitForNews()
        try second.watch()
        #expect(second.floods == 1)
        #expect(second.door.connections.count == 0)
    }
}
