// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc
import Testing

/// What the kernel really refuses at an attempt's set-up: the attempt is tried again, and runs once
/// the lack is over.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason), .oneInstance)
struct SetUpLackTests {
    /// Class user's worker and its fork server.
    private struct ClassProcesses {
        var worker: Int32
        var forkServer: Int32

        init(of instance: Instance) throws {
            let ours = try instance.hostProcesses().filter { $0.user == 61004 }
            func named(_ name: String) throws -> Int32 {
                let found = ours.map(\.processID).filter {
                    (try? textOfFile("/proc/\($0)/comm")) == "\(name)\n"
                }
                // A process that it made ahead has its name, and came later.
                return try #require(found.min(), "no \(name) in \(ours)")
            }
            worker = try named("aico-worker-use")
            forkServer = try named("aico-forkserver")
        }
    }

    /// The class's process limit: clone3 says EAGAIN.
    @Test func processLimitOfTheClassIsWaitedOut() throws {
        let instance = try OneInstance.shared()
        let limits = try instance.cgroups().filter {
            $0.hasSuffix("/class-user") && fileExists("\($0)/pids.max")
        }
        let file = try #require(limits.first) + "/pids.max"
        let before = try textOfFile(file)
        try run(
            "user.lack-processes", instance, errno: EAGAIN,
            lack: { try writeFile("1", to: file) }, end: { try writeFile(before, to: file) })
    }

    /// A limit of namespaces, of the class's own user namespace: clone3 says ENOSPC.
    @Test func limitOfNamespacesIsWaitedOut() throws {
        let instance = try OneInstance.shared()
        let server = try ClassProcesses(of: instance).forkServer
        let theirs = linkTarget("/proc/\(server)/ns/user")
        // Else it would be the machine's own limit.
        try #require(theirs != nil && theirs != linkTarget("/proc/self/ns/user"))
        let fixture = try #require(
            linkTarget("/proc/self/exe").map { own in
                own.prefix(upTo: own.lastIndex(of: "/") ?? own.startIndex) + "/sandbox-fixture"
            })
        func set(_ number: Int) throws {
            let said = try succeed([
                String(fixture), "--outside", "namespaceLimit \(server) \(number)",
            ])
            try #require(said.contains("said ok"), "\(said)")
        }
        try run(
            "user.lack-namespaces", instance, errno: ENOSPC, lack: { try set(0) },
            end: { try set(1000) })
    }

    /// No number for a further descriptor, at each place where set-up takes one.
    @Test(arguments: ["worker", "fork server"], 0...6)
    func limitOfDescriptorsIsWaitedOut(whose: String, headroom: Int) throws {
        let instance = try OneInstance.shared()
        let processes = try ClassProcesses(of: instance)
        let process = whose == "worker" ? processes.worker : processes.forkServer
        let before = try limit(of: process)
        try run(
            "user.lack-\(whose.prefix(4))\(headroom)", instance,
            errno: headroom == 0 ? EMFILE : nil,
            lack: {
                let used = Set(try directoryEntries("/proc/\(process)/fd").compactMap { Int($0) })
                // The first number that is free, and `headroom` of those that follow.
                let free = (0...).lazy.filter { !used.contains($0) }.prefix(headroom + 1)
                try setLimit(of: process, to: Array(free).last ?? 0)
            }, end: { try setLimit(of: process, to: before) })
        let after = try ClassProcesses(of: instance)
        #expect(after.worker == processes.worker, "the class lives through it")
        #expect(after.forkServer == processes.forkServer)
    }

    /// A process's soft limit of descriptors.
    private func limit(of process: Int32) throws -> Int {
        let lines = try textOfFile("/proc/\(process)/limits").split(separator: "\n")
        let line = lines.first { $0.hasPrefix("Max open files") }
        return try #require(line?.split(separator: " ").dropFirst(3).first.flatMap { Int($0) })
    }

    /// Sets it as prlimit(2) does, by a process of the same user: root may lack the capability.
    private func setLimit(of process: Int32, to number: Int) throws {
        try succeed([
            "/usr/bin/setpriv", "--reuid=61004", "--regid=61004", "--clear-groups",
            "/usr/bin/prlimit", "--pid=\(process)", "--nofile=\(number):",
        ])
        #expect(try limit(of: process) == number)
    }

    @discardableResult
    private func succeed(_ command: [String]) throws -> String {
        let process = try HostProcess(command)
        let said = process.remainingOutput(within: Built.patience(seconds: 10))
        #expect(process.waitForEnd(within: Built.patience(seconds: 10)) == 0, "\(said)")
        return said
    }

    /// Runs a command while something lacks, and lets it come back at the first retry; before and
    /// after, the same command runs at its first attempt.
    ///
    /// - Parameter errno: what set-up must meet; nil where it may not be met at all.
    private func run(
        _ identifier: String, _ instance: Instance, errno: Int32?, lack: () throws -> Void,
        end: () throws -> Void
    ) throws {
        let policies: JSONValue = ["retry": ["count": 50, "delay": 0.2, "factor": 1]]
        let client = try instance.client()
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.execution")
        let argv = ["/bin/echo", "here"]
        try instance.makeTask(identifier, argv: argv, policies: policies, client: client)
        func runOnce() throws -> EndedExecution {
            let execution = try instance.run(identifier, client: client)
            try instance.waitForEnd(of: execution, events: events)
            return try instance.record(of: execution, client: client)
        }
        let control = try runOnce()
        #expect(control.outcome == "succeeded" && control.data["attempts"]?.int == 1)
        try lack()
        var isLacking = true
        defer { if isLacking { try? end() } }
        try killStandby(of: instance)
        // What it had is free again, and would do for an attempt.
        try lack()
        let execution = try instance.run(identifier, client: client)
        var refusals: [String] = []
        let deadline = ContinuousClock.now + Built.patience(seconds: 60)
        waiting: while ContinuousClock.now < deadline {
            guard let event = try events.nextEvent(timeout: deadline - ContinuousClock.now),
                event.data["execution"]?.string == execution
            else { continue }
            switch event.topic {
            case "scheduler.event.execution.retry":
                refusals.append(event.data["reason"]?.string ?? "")
                // The standby that was there may have met the lack later than set-up does.
                guard refusals.last == "no_resources" || refusals.count > 5, isLacking else {
                    continue
                }
                try end()
                isLacking = false
            case "scheduler.event.execution.finished": break waiting
            default: continue
            }
        }
        let ended = try instance.record(of: execution, client: client)
        #expect(ended.outcome == "succeeded" && ended.lines == ["here"], "\(ended.data.text())")
        if let errno {
            #expect(refusals.last == "no_resources", "\(ended.data.text())")
            let met = ended.data["attempt_list"]?.array?.contains {
                $0.text().contains("\"errno\":\(errno)")
                    && $0["outcome"]?.string == "failed_transient"
            }
            #expect(met == true, "\(ended.data.text())")
        }
        if isLacking {
            try end()
            isLacking = false
        }
        let after = try runOnce()
        #expect(after.outcome == "succeeded" && after.data["attempts"]?.int == 1)
        let letters = try client.request(topic: "scheduler.dlq.list", body: [:])
        #expect(!letters.text().contains(identifier), "\(letters.text())")
    }

    /// Ends the process that waits for an order, which is through its set-up.
    private func killStandby(of instance: Instance) throws {
        for process in try instance.hostProcesses() where process.user == 61004 {
            guard (try? textOfFile("/proc/\(process.processID)/comm")) == "aico-task\n" else {
                continue
            }
            _ = kill(process.processID, SIGKILL)
        }
    }
}
