// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import CLinux
import Glibc
import Testing

/// kill -9 of each kind of process in the middle of executions: what DESIGN calls deaths.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct DeathTests {
    /// A process of the system that can be killed.
    enum Victim: String, CaseIterable, Sendable {
        case scheduler, worker, forkServer, taskProcess, supervisor

        /// Its host pid; class user's where there is one per class.
        func processID(in instance: Instance) throws -> Int32 {
            if self == .supervisor { return instance.supervisor.processID }
            let processes = try instance.hostProcesses()
            if self == .scheduler {
                let found = processes.first { $0.command.contains("aico-scheduler") }
                guard let found else { throw SystemFailure("no scheduler in \(processes)") }
                return found.processID
            }
            // Worker, its child the fork server, its child the task process: one with children, as
            // another may wait for an order.
            let ours = processes.filter { $0.user == 61004 }
            // What a command starts for a moment may be gone by now.
            let parents = Dictionary(
                uniqueKeysWithValues: ours.compactMap { process in
                    (try? parent(of: process.processID)).map { (process.processID, $0) }
                })
            let worker = ours.first { parents[$0.processID] == instance.supervisor.processID }
            let server = ours.first { parents[$0.processID] == worker?.processID }
            let task = ours.first {
                parents[$0.processID] == server?.processID
                    && parents.values.contains($0.processID)
            }
            let victim = self == .worker ? worker : self == .forkServer ? server : task
            guard let victim else { throw SystemFailure("no \(self) in \(ours)") }
            return victim.processID
        }

        private func parent(of processID: Int32) throws -> Int32 {
            let status = try textOfFile("/proc/\(processID)/status")
            let line = status.split(separator: "\n").first { $0.hasPrefix("PPid:") }
            return line?.split(separator: "\t").last.flatMap { Int32($0) } ?? 0
        }
    }

    /// Kills in the middle of four executions, then asks the store: each ran to an end that it
    /// knows, none is lost, none ran twice at once.
    @Test(arguments: Victim.allCases) func noExecutionIsLostOrDoubled(victim: Victim) throws {
        let instance = try Instance()
        var client = try instance.client()
        let ledger = "/aico/work/ledger"
        let go = "/aico/work/go"
        var executions: [String] = []
        for number in 0..<4 {
            let identifier = "user.death-\(number)"
            // Each attempt notes its start and its end; the wait is what the kill interrupts.
            let script =
                "echo start $AICO_EXECUTION_ID >>\(ledger); until [ -e \(go) ]; do sleep 0.1; done; "
                + "echo end $AICO_EXECUTION_ID >>\(ledger)"
            try instance.makeTask(
                identifier, argv: ["/bin/bash", "-c", script],
                policies: ["on_crash": "rerun", "retry": ["count": 3, "delay": 0.1]],
                client: client)
            executions.append(try instance.run(identifier, client: client))
        }
        let path = "\(instance.root)/var/lib/aico/work/ledger"
        try waitForLines(4, in: path)
        let killed = try victim.processID(in: instance)
        #expect(kill(killed, SIGKILL) == 0)
        if victim == .supervisor {
            _ = instance.supervisor.waitForEnd(within: Built.patience(seconds: 10))
            try waitUntilGone(instance)
            try instance.restart()
        }
        client = try reconnect(instance)
        let expected = victim == .taskProcess ? 5 : 8
        try waitForLines(expected, in: path)
        try writeFile("", to: "\(instance.root)/var/lib/aico/work/go")
        for execution in executions {
            let ended = try waitForEnd(execution, instance: instance, client: &client)
            #expect(ended.outcome == "succeeded", "\(ended.data.text())")
        }
        let lines = try textOfFile(path).split(separator: "\n").map(String.init)
        for execution in executions {
            // At least once, and never past one success.
            #expect(lines.filter { $0 == "end \(execution)" }.count == 1, "\(lines)")
            let starts = lines.filter { $0 == "start \(execution)" }.count
            #expect(1...2 ~= starts, "\(lines)")
        }
        let interrupted = try executions.map {
            try instance.record(of: $0, client: client).data["attempts"]?.int ?? 0
        }
        #expect(interrupted.reduce(0, +) == expected, "attempts: \(interrupted)")
        #expect(instance.stop() == 0)
        #expect(try instance.cgroups() == [])
    }

    /// Without `on_crash: rerun` an attempt whose worker died under it is not run again.
    @Test func interruptedExecutionIsNotRunTwiceUnasked() throws {
        let instance = try Instance()
        var client = try instance.client()
        let script = "echo start >>/aico/work/once; sleep 1000"
        try instance.makeTask(
            "user.once", argv: ["/bin/bash", "-c", script],
            policies: ["retry": ["count": 3, "delay": 0.1]], client: client)
        let execution = try instance.run("user.once", client: client)
        let path = "\(instance.root)/var/lib/aico/work/once"
        try waitForLines(1, in: path)
        #expect(kill(try Victim.worker.processID(in: instance), SIGKILL) == 0)
        let ended = try waitForEnd(execution, instance: instance, client: &client)
        #expect(ended.outcome == "interrupted", "\(ended.data.text())")
        #expect(try textOfFile(path) == "start\n")
        #expect(instance.stop() == 0)
    }

    /// A scheduler that is stopped dies of its silence, and a new one takes its place.
    @Test func stoppedSchedulerIsKilledAndRelaunched() throws {
        let instance = try Instance()
        var client = try instance.client()
        _ = try client.request(topic: "scheduler.stats", body: [:])
        let stopped = try Victim.scheduler.processID(in: instance)
        #expect(kill(stopped, SIGSTOP) == 0)
        #expect(
            instance.supervisor.waitForLine(
                "scheduler did not answer for 20.0 seconds; it is killed and starts again",
                within: Built.patience(seconds: 60)))
        client = try reconnect(instance)
        #expect(try Victim.scheduler.processID(in: instance) != stopped)
        let ended = try instance.runToEnd("user.after-stop", argv: ["/bin/true"])
        #expect(ended.outcome == "succeeded", "\(ended.data.text())")
        #expect(instance.stop() == 0)
    }

    /// poll(2) refuses more descriptors than a process may have. Whoever went on would be deaf, and
    /// take a processor for it. Its end has a word, and what it holds up is launched anew.
    @Test(arguments: [Victim.scheduler, .worker]) func processThatCannotWaitEndsWithAWord(
        victim: Victim
    ) throws {
        let instance = try Instance()
        let deaf = try victim.processID(in: instance)
        let client = try instance.client()
        try instance.makeTask("user.unheard", argv: ["/bin/true"], client: client)
        try limitDescriptors(of: deaf, as: victim == .scheduler ? 61000 : 61004)
        // A word that wakes it; the scheduler is woken by its supervisor.
        if victim == .worker { _ = try instance.run("user.unheard", client: client) }
        // The word by its pipe, the end by the supervisor: in any order.
        let texts =
            victim == .scheduler
            ? [
                "aico-scheduler: cannot poll",
                "scheduler ended with exit code 70; workers are killed",
            ]
            : ["worker: cannot poll", "worker user ended with exit code 70"]
        for text in texts {
            #expect(
                instance.supervisor.lines.contains { $0.contains(text) }
                    || instance.supervisor.waitForLine(text, within: Built.patience(seconds: 60)),
                "\(text): \(instance.supervisor.lines)")
        }
        _ = try reconnect(instance)
        let ended = try instance.runToEnd("user.after-deafness", argv: ["/bin/true"])
        #expect(ended.outcome == "succeeded", "\(ended.data.text())")
        #expect(instance.stop() == 0)
    }

    /// The supervisor, whose end nobody but its starter sees, leaves nobody behind.
    @Test func supervisorThatCannotWaitEndsWithAllThatItStarted() throws {
        let instance = try Instance()
        let started = try instance.hostProcesses().map(\.processID)
        try #require(!started.isEmpty)
        try limitDescriptors(of: instance.supervisor.processID, as: 0)
        #expect(
            instance.supervisor.waitForLine(
                "cannot wait for 'events'", within: Built.patience(seconds: 60)),
            "\(instance.supervisor.lines)")
        #expect(instance.supervisor.waitForEnd(within: Built.patience(seconds: 30)) == 71 << 8)
        try waitUntilGone(instance)
        for process in started {
            // One that ended waits for whoever reaps the host's orphans.
            let status = (try? textOfFile("/proc/\(process)/status")) ?? "State:\tZ"
            #expect(status.contains("State:\tZ"), "\(status)")
        }
        try instance.restart()
        #expect(instance.stop() == 0)
    }

    /// A command that has its own task process hear of nothing any more.
    @Test func commandWhoseProcessCannotWaitFailsWithAWord() throws {
        let instance = try Instance()
        // Not while it still starts this. An orphan that ends wakes it.
        let script =
            "until grep -q 'State:.S' /proc/1/status; do :; done; "
            + "prlimit --pid 1 --nofile=1: && (sleep 0.1 &) && sleep 1000"
        let ended = try instance.runToEnd(
            "user.deaf", argv: ["/bin/sh", "-c", script],
            policies: ["retry": ["count": 0], "timeout": 20])
        #expect(ended.outcome == "failed_transient", "\(ended.data.text())")
        #expect(ended.data.text().contains("cannot wait for the command"), "\(ended.data.text())")
        #expect(instance.stop() == 0)
    }

    /// Sets the soft limit as prlimit(1) does, by a process of the same user: root may lack the
    /// capability.
    private func limitDescriptors(of process: Int32, as user: Int) throws {
        let command = try HostProcess([
            "/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups",
            "/usr/bin/prlimit", "--pid=\(process)", "--nofile=1:",
        ])
        let said = command.remainingOutput(within: Built.patience(seconds: 10))
        let status = command.waitForEnd(within: Built.patience(seconds: 10))
        try #require(status == 0, "\(said)")
    }

    /// What a worker said as it died is told by `health`.
    /// Nothing can be launched and nobody reached without it: an end with a word, and no loop.
    @Test func systemEndsWithItsRuntimeDirectory() throws {
        let instance = try Instance()
        removeTree("\(instance.root)/run/aico/worker")
        #expect(
            instance.supervisor.waitForLine(
                "cannot go on without '\(instance.root)/run/aico/worker': it was removed or replaced",
                within: Built.patience(seconds: 30)))
        #expect(instance.supervisor.waitForEnd(within: Built.patience(seconds: 30)) == 71 << 8)
        #expect(try instance.cgroups().isEmpty)
        try instance.restart()
        #expect(instance.stop() == 0)
    }

    @Test func workerWithoutItsLibraryIsToldWithItsWords() throws {
        let executables = try linkedExecutables()
        defer { removeTree(executables) }
        // As if the library were not installed: the loader looks for one of another name.
        let path = "\(executables)/aico-worker-agency"
        let library = "libsqlite3.so.0"
        let other = "libsqlitex.so.0"
        var bytes = try bytesOfFile(path)
        try #require(replace(library, by: other, in: &bytes) > 0, "it is linked dynamically")
        unlink(path)
        try writeFile(bytes, to: path, mode: 0o755)
        let instance = try Instance(executables: executables, awaiting: "worker agency ended")
        let words = "error while loading shared libraries: \(other): cannot open shared object file"
        #expect(
            instance.supervisor.lines.contains { $0.contains(words) }
                || instance.supervisor.waitForLine(words, within: Built.patience(seconds: 30)),
            "the supervisor passes them on")
        let client = try reconnect(instance)
        let deadline = ContinuousClock.now + Built.patience(seconds: 30)
        var text = ""
        repeat {
            text = try client.request(topic: "scheduler.health", body: [:]).text()
        } while !text.contains(words) && ContinuousClock.now < deadline
        #expect(text.contains(words), "\(text)")
        #expect(instance.stop() == 0)
    }

    /// The process that waits for an order, found as the fork server's child without a program.
    @Test func killedStandbyIsMissedByNobody() throws {
        let instance = try Instance()
        for round in 0..<5 {
            let standby = try waitForStandby(of: instance)
            let pidfd = aico_pidfd_open(standby)
            defer { close(pidfd) }
            #expect(kill(standby, SIGKILL) == 0)
            // An order that it takes before it dies is an attempt that was killed.
            var gone = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
            #expect(poll(&gone, 1, 10_000) == 1)
            let ended = try instance.runToEnd("user.after-\(round)", argv: ["/bin/true"])
            #expect(ended.outcome == "succeeded", "\(ended.data.text())")
            let held = ended.attempt["layers"]?["held"]?.array?.count
            #expect(held == 13, "\(ended.attempt.text())")
        }
        #expect(instance.stop() == 0)
    }

    /// Replaces a text by another of its length; how often.
    private func replace(_ text: String, by other: String, in bytes: inout [UInt8]) -> Int {
        let (wanted, given) = (Array(text.utf8), Array(other.utf8))
        return bytes.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress, wanted.count == given.count else { return 0 }
            let end = start + bytes.count - wanted.count
            var rest = start
            var count = 0
            while rest <= end, let place = memchr(rest, Int32(wanted[0]), end - rest + 1) {
                rest = place + 1
                guard memcmp(place, wanted, wanted.count) == 0 else { continue }
                memcpy(place, given, given.count)
                count += 1
            }
            return count
        }
    }

    private func waitForStandby(of instance: Instance) throws -> Int32 {
        let deadline = ContinuousClock.now + Built.patience(seconds: 20)
        while ContinuousClock.now < deadline {
            let ours = try instance.hostProcesses().filter { $0.user == 61004 }
            for process in ours
            where (try? textOfFile("/proc/\(process.processID)/comm")) == "aico-task\n" {
                return process.processID
            }
            sched_yield()
        }
        throw SystemFailure("no process was made ahead")
    }

    private func waitForLines(_ count: Int, in path: String) throws {
        let deadline = ContinuousClock.now + Built.patience(seconds: 30)
        while ContinuousClock.now < deadline {
            let lines = (try? textOfFile(path))?.split(separator: "\n").count ?? 0
            if lines >= count { return }
            FileWatch.waitForChange(under: path, within: .milliseconds(100))
        }
        throw SystemFailure("\(path) has not \(count) lines")
    }

    /// After the death of the supervisor everything below dies by itself.
    private func waitUntilGone(_ instance: Instance) throws {
        let deadline = ContinuousClock.now + Built.patience(seconds: 10)
        while try !instance.hostProcesses().isEmpty {
            guard ContinuousClock.now < deadline else {
                throw SystemFailure("still there: \(try instance.hostProcesses())")
            }
            sched_yield()
        }
    }

    private func reconnect(_ instance: Instance) throws -> BusClient {
        let deadline = ContinuousClock.now + Built.patience(seconds: 30)
        while true {
            do {
                let client = try instance.client()
                _ = try client.request(topic: "scheduler.stats", body: [:])
                return client
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                sched_yield()
            }
        }
    }

    private func waitForEnd(
        _ execution: String, instance: Instance, client: inout BusClient
    ) throws -> EndedExecution {
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.execution")
        let deadline = ContinuousClock.now + Built.patience(seconds: 60)
        while ContinuousClock.now < deadline {
            let record = try instance.record(of: execution, client: client)
            if record.data["state"]?.string == "ended" { return record }
            _ = try events.nextEvent(timeout: .seconds(1))
        }
        throw SystemFailure("execution \(execution) did not end")
    }
}
