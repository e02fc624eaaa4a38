// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Capabilities
import Glibc
import Testing

/// What each process of a running system may, asked of the kernel by libcap: it shares no code with
/// what gave the capabilities up.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason), .oneInstance)
struct CapabilityTests {
    @Test func workersAndTheSchedulerHoldNone() throws {
        let shown = try OneInstance.shared().aico(["supervisor", "status", "--json"])
        #expect(shown.status == 0, "\(shown.output)")
        let status = try JSONValue.parse(Array(shown.output.utf8))
        // The control: whoever holds everything is seen to.
        let own = try #require(CapabilitySet(ofProcess: getpid()))
        #expect(own.contains([.dacReadSearch]) && own.names.count > 5, "\(own.names)")
        let supervisor = status["supervisor"]?["capabilities"]?.array?.compactMap(\.string)
        #expect(supervisor == own.names)
        #expect(status["scheduler"]?["capabilities"] == [])
        let workers = try #require(status["workers"]?.array)
        #expect(workers.count == 4)
        for worker in workers { #expect(worker["capabilities"] == [], "\(worker)") }
    }

    @Test func forkServersHoldWhatTheirTasksMayDeclare() throws {
        let servers = try OneInstance.shared().hostProcesses().filter {
            (try? textOfFile("/proc/\($0.processID)/comm")) == "aico-forkserver\n"
        }
        #expect(Set(servers.map(\.user)) == [61001, 61002, 61003, 61004])
        for server in servers {
            let held = try #require(CapabilitySet(ofProcess: server.processID))
            // In a user namespace of its own a process may all, over nothing of the host's.
            let own = linkTarget("/proc/self/ns/user")
            guard linkTarget("/proc/\(server.processID)/ns/user") == own else { continue }
            // SETPCAP is what an attempt empties its bounding set by.
            #expect(held.names == ["DAC_READ_SEARCH", "SETPCAP"], "\(server): \(held.names)")
        }
    }
}
