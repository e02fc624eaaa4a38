// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc
import Testing

/// What is left behind: by five hundred executions, and by a whole system.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct LeakTests {
    /// What a host can lose to a leak.
    struct Census: Equatable {
        var cgroups: [String]
        var mounts: Int
        var processes: Int
        var zombies: Int
        /// Program and number of open descriptors of each process.
        var descriptors: [String]
        var networkNamespaces: Int

        /// What there is once it stays the same: a process that is made ahead is there before its
        /// set-up is over, and in the midst of that it has other files open. A connection whose client
        /// is gone may be open for a while on a slow machine: waits for what is expected, too.
        static func settled(
            _ instance: Instance, until isExpected: (Census) -> Bool = { _ in true }
        ) throws -> Census {
            let deadline = ContinuousClock.now + Built.patience(seconds: 20)
            var seen = try Census(instance)
            var equal = 0
            while equal < 3 || !isExpected(seen), ContinuousClock.now < deadline {
                poll(nil, 0, 20)
                // A process may end between two looks at it.
                guard let next = try? Census(instance) else { continue }
                equal = next == seen ? equal + 1 : 0
                seen = next
            }
            return seen
        }

        /// Waits until each class with a user namespace has made its next process ahead.
        private init(_ instance: Instance) throws {
            let deadline = ContinuousClock.now + Built.patience(seconds: 20)
            while try instance.hostProcesses().count != 11, ContinuousClock.now < deadline {
                sched_yield()
            }
            // A leaf's number counts how often it was made anew.
            cgroups = try instance.cgroups().map { path in
                path.replacing(/\/s(\d+)\.\d+$/) { "/s\($0.1)" }
            }.sorted()
            mounts = try textOfFile("/proc/self/mountinfo").split(separator: "\n").count
            var spaces: Set<String> = []
            var zombies = 0
            let ours = try instance.hostProcesses()
            for process in ours {
                if let space = linkTarget("/proc/\(process.processID)/ns/net") {
                    spaces.insert(space)
                }
                let status = (try? textOfFile("/proc/\(process.processID)/stat")) ?? ""
                if status.contains(") Z ") { zombies += 1 }
            }
            networkNamespaces = spaces.count
            self.zombies = zombies
            processes = ours.count
            var descriptors: [String] = []
            for process in ours + [(instance.supervisor.processID, 0, "supervisor")] {
                let count = try directoryEntries("/proc/\(process.processID)/fd").count
                descriptors.append("\(process.command) \(count)")
            }
            self.descriptors = descriptors.sorted()
        }
    }

    @Test func fiveHundredExecutionsLeaveNothing() throws {
        let instance = try Instance()
        // It holds a file open at first: the baseline is hashed beside the start.
        guard
            instance.supervisor.waitForLine(
                "recorded the baseline", within: Built.patience(seconds: 30))
        else { throw SystemFailure("no baseline was recorded") }
        let client = try instance.client()
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.execution.finished")
        let commands = [
            ["/bin/true"], ["/bin/false"], ["/bin/bash", "-c", "sleep 1000 & exit 0"],
            [instance.probe, "mount"], ["/bin/bash", "-c", "kill -9 $$"],
        ]
        for (index, argv) in commands.enumerated() {
            try instance.makeTask("user.leak-\(index)", argv: argv, client: client)
        }
        // Once each first: slots, pools and caches come to be with first use.
        try runAll(5, instance: instance, client: client, events: events)
        let before = try Census.settled(instance)
        try runAll(500, instance: instance, client: client, events: events)
        let after = try Census.settled(instance) { $0 == before }
        #expect(after == before)
        let stats = try client.request(topic: "scheduler.stats", body: [:])
        #expect(stats["running"]?.int == 0)
    }

    private func runAll(
        _ count: Int, instance: Instance, client: BusClient, events: BusClient
    ) throws {
        for number in 0..<count {
            let execution = try instance.run("user.leak-\(number % 5)", client: client)
            try instance.waitForEnd(of: execution, events: events)
        }
    }

    @Test func stoppedSystemLeavesNothingOutsideItsRoot() throws {
        let mounts = try textOfFile("/proc/self/mountinfo")
        let instance = try Instance()
        let processes = try instance.hostProcesses()
        #expect(processes.count >= 9, "scheduler, four workers, four fork servers: \(processes)")
        #expect(try !instance.cgroups().isEmpty)
        #expect(instance.stop() == 0)
        #expect(try instance.cgroups() == [])
        for process in processes {
            #expect(kill(process.processID, 0) != 0, "\(process.command) is still there")
        }
        #expect(try textOfFile("/proc/self/mountinfo") == mounts)
        #expect(!fileExists("\(instance.root)/run/aico/bus/bus.sock"))
    }
}
