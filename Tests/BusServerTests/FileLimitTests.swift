// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import BusServer
import Glibc
import Testing
import ZeroMQ

@Suite(.serialized)
struct FileLimitTests {
    private static func limit() -> rlimit {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return limit
    }

    @Test func theSoftLimitBecomesTheHardOne() {
        var lower = Self.limit()
        lower.rlim_cur = min(1024, lower.rlim_max)
        #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &lower) == 0)
        #expect(FileLimit.raise() == Int(clamping: lower.rlim_max))
        #expect(Self.limit().rlim_cur == lower.rlim_max)
    }

    @Test func elevenHundredSilentConnectionsHarmNothing() throws {
        // Both ends are this process's.
        try #require(FileLimit.raise() > 3000)
        let bus = try ServedBus()
        defer { bus.end() }
        var silent: [Int32] = []
        defer { for descriptor in silent { close(descriptor) } }
        for _ in 0..<1100 { silent.append(try Self.connection(to: bus)) }
        #expect(try Self.answer(of: bus)["bytes"] != nil)
    }

    /// libzmq would end the process at the first that finds no descriptor left.
    @Test func connectionBeyondTheDescriptorsEndsAsItComes() async {
        await #expect(processExitsWith: .success) {
            let bus = try ServedBus()
            guard ZMQInflow.works else { exit(2) }
            // Both ends are this process's: so many that the bus has fewer left than it would take.
            var limit = Self.limit()
            limit.rlim_cur = 600
            guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
                exit(3)
            }
            ZMQInflow.accept(below: 400)
            var silent: [Int32] = []
            while silent.last ?? 0 < 590 { silent.append(try Self.connection(to: bus)) }
            // The last of them were ended at once.
            var end = pollfd(fd: silent.removeLast(), events: Int16(POLLIN), revents: 0)
            guard poll(&end, 1, 60_000) == 1, end.revents & Int16(POLLHUP) != 0 else { exit(4) }
            for descriptor in silent { close(descriptor) }
            _ = try Self.answer(of: bus)
            bus.end()
        }
    }

    private static func connection(to bus: ServedBus) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: Array(bus.requestsPath.utf8))
        }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, size)
            }
        }
        try #require(code == 0)
        return descriptor
    }

    /// An answer, once the last connections have left the queue of those that wait to be accepted:
    /// while that is full a client is turned away, and while more come than there is room for, the
    /// lot may fall on one that is about to say who it is.
    private static func answer(of bus: ServedBus) throws -> JSONValue {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try bus.client("good").request(topic: "echo", body: [:])
            } catch let error as BusError {
                guard ContinuousClock.now < deadline else { throw error }
            }
        }
    }
}
