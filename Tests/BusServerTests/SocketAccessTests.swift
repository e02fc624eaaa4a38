// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import BusServer
import Glibc
import Testing
import ZeroMQ

@testable import AicoKeys

/// Who may knock at the bus's sockets at all.
@Suite(.enabled(if: geteuid() == 0, "needs root to give a socket away"))
struct SocketAccessTests {
    private func status(_ path: String) throws -> stat {
        var status = stat()
        try #require(lstat(path, &status) == 0, "\(path)")
        return status
    }

    @Test func socketsHaveTheModeAndGroupOfTheirPlace() throws {
        let path = "/tmp/aico-access-\(UInt32.random(in: 0...UInt32.max))"
        defer { for end in ["a", "b", "c"] { unlink("\(path).\(end)") } }
        let pair = try CurveKeyPair.generate()
        let keys = BusKeys(
            server: CurvePair(publicKey: pair.publicKey, secretKey: pair.secretKey), clients: [])
        let server = try BusServer(
            keys: keys,
            endpoints: BusServer.Endpoints(
                requests: [
                    BusServer.Place("ipc://\(path).a", mode: 0o660, group: 61990),
                    BusServer.Place("ipc://\(path).b", mode: 0o600),
                ], events: ["ipc://\(path).c"]),
            context: ZMQContext())
        let (group, own, all) = (
            try status("\(path).a"), try status("\(path).b"), try status("\(path).c")
        )
        withExtendedLifetime(server) {}
        #expect(group.st_mode & 0o7777 == 0o660 && group.st_gid == 61990)
        #expect(own.st_mode & 0o7777 == 0o600 && own.st_gid == getegid())
        #expect(all.st_mode & 0o7777 == 0o666)
    }
}
