// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

/// A system that a service manager started tells it how it stands (sd_notify(3)).
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct ServiceTests {
    /// What the manager hears, in the order in which it comes.
    private final class Manager {
        let directory: String
        let socket: Int32
        private(set) var heard: [String] = []

        init() throws {
            directory = try temporaryDirectory("service")
            socket = Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let name = Array("\(directory)/notify".utf8)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(result == 0)
        }

        deinit {
            close(socket)
            unlink("\(directory)/notify")
            rmdir(directory)
        }

        /// Reads until a line comes; false where none does.
        func hears(_ line: String, within patience: Duration) -> Bool {
            let deadline = ContinuousClock.now + patience
            while true {
                if heard.contains(line) { return true }
                let left = deadline - ContinuousClock.now
                guard left > .zero else { return false }
                var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
                guard poll(&waiting, 1, Int32(left / .milliseconds(1)) + 1) > 0 else { continue }
                var bytes = [UInt8](repeating: 0, count: 4096)
                let count = read(socket, &bytes, bytes.count)
                heard += String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
                    .split(separator: "\n").map(String.init)
            }
        }
    }

    @Test func itIsReadyWhenAllClassesTakeOrdersAndStopsWithAWord() throws {
        let manager = try Manager()
        let instance = try Instance(
            starter: """
                export NOTIFY_SOCKET=\(manager.directory)/notify WATCHDOG_USEC=400000
                exec "$@"
                """)
        let patience = Built.patience(seconds: 30)
        #expect(manager.hears("READY=1", within: patience), "\(manager.heard)")
        let ready = manager.heard.firstIndex(of: "READY=1") ?? 0
        let before = manager.heard.prefix(ready).filter { $0.hasPrefix("STATUS=") }
        #expect(before.first == "STATUS=No orders yet: maintenance, security, agency, user")
        #expect(before.last == "STATUS=All classes take orders")
        // Signs of life go on while nothing happens.
        for _ in 0..<3 {
            let count = manager.heard.count { $0 == "WATCHDOG=1" }
            let deadline = ContinuousClock.now + patience
            while manager.heard.count(where: { $0 == "WATCHDOG=1" }) == count,
                ContinuousClock.now < deadline
            {
                _ = manager.hears("STOPPING=1", within: .milliseconds(50))
            }
            #expect(manager.heard.count { $0 == "WATCHDOG=1" } > count)
        }
        #expect(
            try instance.runToEnd("user.env", argv: ["/usr/bin/env"]).lines
                .filter { $0.hasPrefix("NOTIFY_") || $0.hasPrefix("WATCHDOG_") } == [])
        #expect(instance.stop() == 0)
        #expect(manager.hears("STOPPING=1", within: patience))
        #expect(!manager.heard[..<ready].contains("STOPPING=1"))
    }
}
