// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

@testable import AicoSupervisor

/// What a service manager hears, on a socket as systemd's.
struct ServiceManagerTests {
    /// Such a socket, below a directory or in the abstract space.
    private final class Listener {
        private let socket: Int32

        init(_ text: String) throws {
            var name = Array(text.utf8)
            if name[0] == UInt8(ascii: "@") { name[0] = 0 }
            socket = Glibc.socket(
                AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            try #require(socket >= 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, socklen_t(2 + name.count + (name[0] == 0 ? 0 : 1)))
                }
            }
            try #require(result == 0)
        }

        deinit { close(socket) }

        /// The next message; nil where none has come.
        func next() -> [String]? {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = read(socket, &bytes, bytes.count)
            guard count >= 0 else { return nil }
            return String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n")
                .map(String.init)
        }
    }

    private static let starting = ServiceState(phase: .starting, words: "a")
    private static let ready = ServiceState(phase: .ready, words: "b")
    private static let stopping = ServiceState(phase: .stopping, words: "c")

    private func manager(_ environment: [String: String]) -> ServiceManager? {
        ServiceManager(processID: 7) { environment[$0] }
    }

    @Test(arguments: [true, false]) func eachChangeIsToldOnce(isAbstract: Bool) throws {
        let directory = try ScratchDirectory()
        let address = isAbstract ? "@aico\(directory.path)" : "\(directory.path)/notify"
        let listener = try Listener(address)
        guard var manager = manager(["NOTIFY_SOCKET": address]) else {
            Issue.record("nobody hears")
            return
        }
        manager.tell(Self.starting, at: .zero)
        manager.tell(Self.starting, at: .zero)
        #expect(listener.next() == ["STATUS=a"])
        manager.tell(Self.ready, at: .zero)
        #expect(listener.next() == ["STATUS=b", "READY=1"])
        // It stays active, and says what is the matter.
        manager.tell(Self.starting, at: .zero)
        #expect(listener.next() == ["STATUS=a"])
        manager.tell(Self.ready, at: .zero)
        #expect(listener.next() == ["STATUS=b"])
        manager.tell(Self.stopping, at: .zero)
        #expect(listener.next() == ["STATUS=c", "STOPPING=1"])
        manager.tell(Self.stopping, at: .seconds(1000))
        #expect(listener.next() == nil)
        let next = manager.nextSign
        #expect(next == nil)
    }

    /// The variables of a service manager that wants a sign of life of a process within 20 s.
    private func watching(_ process: Int, in directory: ScratchDirectory) -> [String: String] {
        [
            "NOTIFY_SOCKET": "\(directory.path)/notify", "WATCHDOG_USEC": "20000000",
            "WATCHDOG_PID": "\(process)",
        ]
    }

    @Test func aSignOfLifeComesTwiceInItsTime() throws {
        let directory = try ScratchDirectory()
        let listener = try Listener("\(directory.path)/notify")
        guard var manager = manager(watching(7, in: directory)) else {
            Issue.record("nobody hears")
            return
        }
        manager.tell(Self.ready, at: .seconds(100))
        #expect(listener.next() == ["STATUS=b", "READY=1", "WATCHDOG=1"])
        let next = manager.nextSign
        #expect(next == .seconds(110))
        manager.tell(Self.ready, at: .seconds(109))
        #expect(listener.next() == nil)
        manager.tell(Self.ready, at: .seconds(110))
        #expect(listener.next() == ["WATCHDOG=1"])
    }

    /// The variables were meant for another process, which left them in the environment.
    @Test func anothersWatchdogIsNotFed() throws {
        let directory = try ScratchDirectory()
        let listener = try Listener("\(directory.path)/notify")
        guard var manager = manager(watching(8, in: directory)) else {
            Issue.record("nobody hears")
            return
        }
        manager.tell(Self.ready, at: .seconds(100))
        #expect(listener.next() == ["STATUS=b", "READY=1"])
        let next = manager.nextSign
        #expect(next == nil)
    }

    /// What a manager that hangs was not told is told once it reads again, and nothing waits for it.
    @Test func whatFoundNoRoomIsToldLater() throws {
        let directory = try ScratchDirectory()
        let listener = try Listener("\(directory.path)/notify")
        guard var manager = manager(["NOTIFY_SOCKET": "\(directory.path)/notify"]) else {
            Issue.record("nobody hears")
            return
        }
        for number in 0..<10_000 {
            manager.tell(ServiceState(phase: .starting, words: "\(number)"), at: .zero)
        }
        manager.tell(Self.ready, at: .zero)
        var count = 0
        while listener.next() != nil { count += 1 }
        #expect(0 < count && count < 10_000)
        manager.tell(Self.ready, at: .zero)
        #expect(listener.next() == ["STATUS=b", "READY=1"])
    }

    @Test(arguments: ["", "notify", "@", "/", String(repeating: "/a", count: 100), "/nowhere/a"])
    func anAddressThatLeadsNowhereIsNobody(address: String) {
        let isHeard = manager(["NOTIFY_SOCKET": address]) != nil
        #expect(!isHeard)
    }

    @Test func nobodyHearsWhereNoSocketIsNamed() {
        let isHeard = manager([:]) != nil
        #expect(!isHeard)
    }
}
