// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc
import Testing

/// Third parties' workers beside the shipped one of class user.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct SecondWorkerTests {
    /// A system with worker executables beside the four; `scripts` are those that are no programs of
    /// ours.
    private final class System {
        let instance: Instance
        private let executables: String

        init(_ names: [String], scripts: [String: String] = [:], missing: [String] = []) throws {
            executables = try linkedExecutables()
            let built = try #require(Built.directory)
            try #require(link("\(built)/aico", "\(executables)/aico") == 0)
            for name in names {
                try #require(link("\(built)/second-worker-user", "\(executables)/\(name)") == 0)
            }
            for (name, script) in scripts {
                try writeFile("#!/bin/sh\n\(script)\n", to: "\(executables)/\(name)", mode: 0o755)
            }
            let all = names + scripts.keys.sorted() + missing
            instance = try Instance(
                configuration: """
                    scheduler:
                      max_cpu_percent: 100
                      max_memory_percent: 100
                      worker_executables: [\(all.joined(separator: ", "))]

                    """, executables: executables)
        }

        deinit { removeTree(executables) }

        /// A worker as `scheduler.health` has it.
        func worker(_ name: String, _ client: BusClient) throws -> JSONValue {
            let health = try client.request(topic: "scheduler.health", body: [:])
            return try #require(
                health["workers"]?.array?.first { $0["name"] == .string(name) }, "\(name)")
        }

        /// Waits until a worker is as it should be.
        @discardableResult
        func wait(
            for name: String, _ client: BusClient, _ isSo: (JSONValue) -> Bool
        ) throws -> JSONValue {
            let deadline = ContinuousClock.now + Built.patience(seconds: 30)
            while ContinuousClock.now < deadline {
                let worker = try worker(name, client)
                if isSo(worker) { return worker }
                sched_yield()
            }
            throw SystemFailure("\(name) is \(try worker(name, client).text())")
        }

        func messages(of check: String, _ client: BusClient) throws -> String {
            let health = try client.request(topic: "scheduler.health", body: [:])
            return (health["checks"]?.array ?? []).filter { $0["name"] == .string(check) }
                .compactMap { $0["message"]?.string }.joined(separator: "; ")
        }
    }

    /// Every way out of class user, from inside of the second worker; each is open outside.
    @Test func aSecondWorkersAttemptsAreConfinedAsTheFirsts() throws {
        let system = try System(["acme-worker-user"])
        let instance = system.instance
        let client = try instance.client()
        try system.wait(for: "acme-worker-user", client) { $0["state"] == "running" }
        let worker = try system.worker("acme-worker-user", client)
        let first = try system.worker("aico-worker-user", client)
        #expect(worker["class"] == "user" && worker["layers"] == first["layers"])
        #expect(
            worker["message"]
                == .string("its canary passed \(EscapeCheck.allCases.count) escape checks"))
        var number = 0
        // One that a program outside inherits, whoever started the tests.
        let inherited = fcntl(0, F_DUPFD, 10)
        defer { close(inherited) }
        for row in EscapeRow.rows where row.need?.isLacking != true {
            number += 1
            if let mark = row.mark { unlink(mark) }
            let outside = try HostProcess([instance.probe] + row.words)
            #expect(
                outside.remainingOutput(within: .seconds(60)).trimmed == "open",
                "the control outside: \(row)")
            if let mark = row.mark { unlink(mark) }
            let ended = try instance.runToEnd(
                "user.second-\(number)", type: "user.second_command",
                argv: [instance.probe] + row.words)
            let said = "\(row): \(ended.data.text()) \(ended.lines)"
            switch row.fate {
            case .killed(let call):
                #expect(ended.reason == "denied_syscall" && ended.deniedCall == call, "\(said)")
            case .refused(let errno): #expect(ended.lines == ["closed \(errno)"], "\(said)")
            case .refusedAs(let one, let other):
                #expect([["closed \(one)"], ["closed \(other)"]].contains(ended.lines), "\(said)")
            }
            if let mark = row.mark { #expect(!fileExists(mark), "made on the host: \(mark)") }
        }
        #expect(number >= 40)
        // Its own processes: as the class's user, below the class's cgroup, with no right.
        let pid = try #require(worker["pid"]?.int)
        let cgroup = try textOfFile("/proc/\(pid)/cgroup")
        #expect(cgroup.contains("/class-user/acme-worker-user/"), "\(cgroup)")
        let status = try textOfFile("/proc/\(pid)/status")
        #expect(status.contains("Uid:\t61004\t61004") && status.contains("Seccomp:\t2"))
        #expect(status.contains("CapPrm:\t0000000000000000"), "\(status)")
        #expect(instance.stop() == 0)
        #expect(try instance.cgroups() == [])
    }

    /// The control is the first worker, whose attempt runs through all of it.
    @Test func aSecondWorkerDiesAndComesBackUnnoticedByTheFirst() throws {
        let system = try System(["acme-worker-user"])
        let instance = system.instance
        let client = try instance.client()
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.execution")
        let second = try system.wait(for: "acme-worker-user", client) { $0["state"] == "running" }
        let first = try system.worker("aico-worker-user", client)
        try instance.makeTask("user.first", argv: ["/bin/sleep", "1000"], client: client)
        try instance.makeTask(
            "user.second", type: "user.second_command", argv: ["/bin/sleep", "1000"],
            client: client)
        let ofFirst = try instance.run("user.first", client: client)
        let ofSecond = try instance.run("user.second", client: client)
        var started = 0
        while started < 2 {
            let event = try #require(try events.nextEvent(timeout: Built.patience(seconds: 30)))
            if event.topic == "scheduler.event.execution.started" { started += 1 }
        }
        #expect(kill(Int32(try #require(second["pid"]?.int)), SIGKILL) == 0)
        try instance.waitForEnd(of: ofSecond, events: events)
        #expect(try instance.record(of: ofSecond, client: client).outcome == "interrupted")
        let again = try system.wait(for: "acme-worker-user", client) {
            $0["state"] == "running" && $0["restarts"] == 1
        }
        #expect(again["pid"] != second["pid"])
        let after = try system.worker("aico-worker-user", client)
        #expect(after["pid"] == first["pid"] && after["restarts"] == 0)
        #expect(
            try instance.record(of: ofFirst, client: client).data["state"]?.string == "running")
        let ended = try instance.runToEnd(
            "user.again", type: "user.second_command", argv: ["/bin/echo", "back"])
        #expect(ended.lines == ["back"])
        _ = try client.request(
            topic: "scheduler.task.cancel", body: ["execution": .string(ofFirst)])
        try instance.waitForEnd(of: ofFirst, events: events)
        let shown = try instance.aico(["supervisor", "status"]).output
        #expect(shown.contains("worker user ") && shown.contains("worker acme-worker-user "))
        #expect(try instance.aico(["scheduler", "health"]).output.contains("acme-worker-user"))
        #expect(instance.stop() == 0)
    }

    @Test func aTypeThatTwoDescribeIsNobodysAndAShippedOneStays() throws {
        let system = try System(["acme-worker-user", "other-worker-user", "thief-worker-user"])
        let instance = system.instance
        let client = try instance.client()
        let twice = "type user.same is described by acme-worker-user and other-worker-user"
        let stolen = "thief-worker-user: type user.command is aico-worker-user's and stays so"
        let said = try system.messages(of: "registry", client)
        #expect(said.contains(twice) && said.contains(stolen), "\(said)")
        for words in [twice, stolen] {
            #expect(instance.supervisor.lines.contains { $0.contains(words) }, "in the log")
        }
        #expect(throws: BusError.self) {
            try instance.makeTask("user.same", type: "user.same", argv: [], client: client)
        }
        let ended = try instance.runToEnd("user.kept", argv: ["/bin/echo", "mine"])
        #expect(ended.lines == ["mine"])
        #expect(
            try instance.runToEnd("user.own", type: "user.second_command", argv: ["/bin/true"])
                .outcome == "succeeded", "its other type")
        #expect(instance.stop() == 0)
        let check = try instance.check()
        #expect(check.contains(twice) && check.contains(stolen), "\(check)")
        #expect(check.contains("in order"))
    }

    /// What can be wrong with one, all at once: the shipped worker of the class and a good one of a
    /// third party work on.
    @Test func brokenWorkersHarmOnlyThemselves() throws {
        let system = try System(
            ["acme-worker-user"],
            scripts: [
                "garbage-worker-user": "echo '{'", "hangs-worker-user": "exec sleep 1000",
                "liar-worker-user": "echo '{\"class\":\"security\",\"types\":[]}'",
            ], missing: ["missing-worker-user"])
        let instance = system.instance
        let client = try instance.client()
        try system.wait(for: "acme-worker-user", client) { $0["state"] == "running" }
        let said = try system.messages(of: "registry", client)
        for words in [
            "garbage-worker-user: ", "hangs-worker-user: gave no description in time",
            "liar-worker-user: does not say class user",
            "missing-worker-user: there is no '",
        ] {
            #expect(said.contains(words), "\(words): \(said)")
        }
        let missing = try system.wait(for: "missing-worker-user", client) {
            $0["message"]?.string?.contains("could not be launched") == true
        }
        #expect(missing["message"]?.string?.contains("there is no '") == true)
        for name in ["garbage", "hangs", "liar", "missing"] {
            #expect(try system.worker("\(name)-worker-user", client)["state"] != "running")
        }
        for (type, words) in [("user.command", "first"), ("user.second_command", "second")] {
            let ended = try instance.runToEnd(
                "user.\(words)", type: type, argv: ["/bin/echo", words])
            #expect(ended.lines == [words])
        }
        #expect(try system.worker("aico-worker-user", client)["restarts"] == 0)
        #expect(try system.worker("acme-worker-user", client)["restarts"] == 0)
        #expect(try system.messages(of: "worker.user", client) == "takes orders")
        #expect(instance.stop() == 0)
        #expect(try instance.cgroups() == [])
    }

    /// One that others than root can change is not launched; the control is the same file closed.
    @Test(arguments: [(0o775, false), (0o755, true)] as [(mode_t, Bool)])
    func whatOthersCanChangeIsNotLaunched(mode: mode_t, isLaunched: Bool) throws {
        let built = try #require(Built.directory)
        let executables = try linkedExecutables()
        defer { removeTree(executables) }
        let path = "\(executables)/acme-worker-user"
        try copyFile("\(built)/second-worker-user", to: path, mode: 0o755)
        chmod(path, mode)
        let instance = try Instance(
            configuration: "scheduler:\n  worker_executables: [acme-worker-user]\n",
            executables: executables)
        let client = try instance.client()
        let deadline = ContinuousClock.now + Built.patience(seconds: 30)
        var worker = JSONValue.null
        while ContinuousClock.now < deadline {
            let health = try client.request(topic: "scheduler.health", body: [:])
            worker = try #require(
                health["workers"]?.array?.first { $0["name"] == "acme-worker-user" })
            let isRefused = worker["message"]?.string?.contains("others than root") == true
            if worker["state"] == "running" || isRefused { break }
            sched_yield()
        }
        #expect((worker["state"] == "running") == isLaunched, "\(worker.text())")
        if !isLaunched {
            let message = worker["message"]?.string
            #expect(message?.contains("others than root can change") == true, "\(worker.text())")
            #expect(try instance.check().contains("others than root can change it"))
        }
        #expect(instance.stop() == 0)
    }
}
