// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc
import Testing

/// Ways out of class user, through scheduler, worker and fork server. Every probe runs outside
/// first and must succeed there; what became of it is asked of the store and of the host.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason), .oneInstance)
struct EscapeTests {
    private func outside(_ instance: Instance, _ words: [String]) throws -> (String, Int32) {
        // One that a program outside inherits, whoever started the tests.
        let inherited = fcntl(0, F_DUPFD, 10)
        defer { close(inherited) }
        let process = try HostProcess([instance.probe] + words)
        let output = process.remainingOutput(within: .seconds(60))
        let raw = process.waitForEnd(within: .seconds(60)) ?? -1
        return (output.trimmed, raw)
    }

    @Test(arguments: EscapeRow.rows) func rowIsStopped(_ row: EscapeRow) throws {
        let instance = try OneInstance.shared()
        // What a run that was broken off left.
        if let mark = row.mark { unlink(mark) }
        let control = try outside(instance, row.words)
        if let mark = row.mark { unlink(mark) }
        try Test.cancelIfLacking(row)
        #expect(control.0 == "open", "the control outside")
        let name = "user.escape-\(UInt32.random(in: 0 ... .max))"
        let ended = try instance.runToEnd(name, argv: [instance.probe] + row.words)
        let said = "\(ended.data.text()) \(ended.lines)"
        switch row.fate {
        case .killed(let systemCall):
            #expect(ended.outcome == "killed", "\(said)")
            #expect(ended.reason == "denied_syscall", "\(said)")
            #expect(ended.deniedCall == systemCall, "\(said)")
        case .refused(let errno):
            #expect(ended.lines == ["closed \(errno)"], "\(said)")
            #expect(ended.exitCode == 1, "\(said)")
        case .refusedAs(let first, let second):
            #expect(
                ended.lines == ["closed \(first)"] || ended.lines == ["closed \(second)"],
                "\(said)")
        }
        if let mark = row.mark { #expect(!fileExists(mark), "made on the host: \(mark)") }
    }

    /// A control that is closed outside proves nothing of its row: which are is no silent matter.
    @Test func noControlIsClosedButForWhatTheMachineLacks() throws {
        let instance = try OneInstance.shared()
        var closed: [String] = []
        for row in EscapeRow.rows {
            if let mark = row.mark { unlink(mark) }
            if try outside(instance, row.words).0 != "open" { closed.append(row.testDescription) }
            if let mark = row.mark { unlink(mark) }
        }
        let lacking = EscapeRow.rows.filter { $0.need?.isLacking == true }
        #expect(closed == lacking.map(\.testDescription))
        // However small the kernel: these many prove what they say.
        #expect(EscapeRow.rows.count - closed.count >= 48, "\(closed.count) prove nothing")
    }

    @Test(arguments: ["kill", "pidfd_kill"]) func hostProcessCannotBeKilled(probe: String) throws {
        let instance = try OneInstance.shared()
        let control = try HostProcess(["sleep", "1000"])
        let outside = try outside(instance, [probe, "\(control.processID)"])
        #expect(outside.0 == "open")
        #expect(control.waitForEnd(within: .seconds(10)) == SIGKILL)
        let victim = try HostProcess(["sleep", "1000"])
        let ended = try instance.runToEnd(
            "user.\(probe.replacing("_", with: "-"))-\(UInt32.random(in: 0 ... .max))",
            argv: [instance.probe, probe, "\(victim.processID)"])
        #expect(ended.outcome != "succeeded", "\(ended.data.text())")
        #expect(victim.isRunning)
    }

    @Test func hostProcessCannotBeSeen() throws {
        let instance = try OneInstance.shared()
        let words = ["see", "\(getpid())"]
        #expect(try outside(instance, words).0 == "open")
        let ended = try instance.runToEnd("user.see", argv: [instance.probe] + words)
        #expect(ended.lines == ["closed ENOENT"])
    }

    @Test func hostsListenersCannotBeReached() throws {
        let instance = try OneInstance.shared()
        let listeners = try Listeners()
        let ways = [
            ["tcp", "\(listeners.port)"], ["abstract", listeners.abstractName],
            ["unix", listeners.path], ["unix", "\(instance.root)/run/aico/bus/bus.sock"],
        ]
        for (index, words) in ways.enumerated() {
            #expect(try outside(instance, words).0 == "open", "\(words)")
            let ended = try instance.runToEnd(
                "user.reach-\(index)", argv: [instance.probe] + words)
            #expect(ended.outcome != "succeeded", "\(words): \(ended.data.text())")
        }
        #expect(listeners.accepted == 3, "only the three controls came in")
    }

    @Test func memoryBombEndsItsOwnAttemptOnly() throws {
        let instance = try OneInstance.shared()
        #expect(try outside(instance, ["memory", "600"]).0 == "open")
        let client = try instance.client()
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.execution")
        try instance.makeTask("user.bystander", argv: ["/bin/sleep", "1000"], client: client)
        let bystander = try instance.run("user.bystander", client: client)
        let ended = try instance.runToEnd(
            "user.memory-bomb", argv: [instance.probe, "memory", "600"])
        #expect(ended.outcome == "killed" && ended.reason == "out_of_memory")
        let peak = ended.attempt["usage"]?["peak_memory_bytes"]?.int
        if let peak { #expect(200 << 20...257 << 20 ~= peak, "\(peak)") }
        let other = try instance.record(of: bystander, client: client)
        #expect(other.data["state"]?.string == "running")
        _ = try client.request(
            topic: "scheduler.task.cancel", body: ["execution": .string(bystander)])
        try instance.waitForEnd(of: bystander, events: events)
        #expect(try instance.record(of: bystander, client: client).outcome == "cancelled")
    }

    @Test func forkBombStopsAtTheLimitAndTheRecordSaysSo() throws {
        let instance = try OneInstance.shared()
        let ended = try instance.runToEnd(
            // Each of them forks until it may no more: none ends before the limit was met.
            "user.fork-bomb",
            argv: ["/usr/bin/perl", "-e", "while (1) { defined(fork) or exit 7 }"],
            policies: ["retry": ["count": 0], "timeout": 30, "grace": 1])
        #expect(ended.exitCode == 7, "\(ended.data.text())")
        let usage = ended.attempt["usage"]
        #expect((usage?["process_limit_hits"]?.int ?? 0) > 0, "\(ended.data.text())")
        if let peak = usage?["peak_processes"]?.int { #expect(peak <= 128) }
        #expect(
            try instance.processes(of: 61004).count <= 3,
            "worker, fork server and the process made ahead remain")
    }

    @Test func leftOverDaemonDiesWithItsAttempt() throws {
        let instance = try OneInstance.shared()
        let seconds = "\(1_000_000 + Int(getpid()))"
        let ended = try instance.runToEnd(
            "user.outlive", argv: [instance.probe, "outlive", seconds])
        #expect(ended.outcome == "succeeded", "\(ended.data.text())")
        let left = try instance.processes(of: 61004).filter { $0.contains(seconds) }
        #expect(left.isEmpty, "\(left)")
    }

    @Test(arguments: ["LD_PRELOAD", "BASH_ENV", "SECRET"])
    func variableOfTheSupervisorIsAbsent(name: String) throws {
        let instance = try OneInstance.shared()
        let control = try HostProcess(
            [instance.probe, "variable", name], environment: ["\(name)="])
        #expect(control.remainingOutput(within: .seconds(10)).trimmed == "open")
        let ended = try instance.runToEnd(
            "user.variable-\(name.lowercased().replacing("_", with: "-"))",
            argv: [instance.probe, "variable", name])
        #expect(ended.lines == ["closed ENOENT"])
    }

    @Test func setUserIDProgramGivesNothing() throws {
        let instance = try OneInstance.shared()
        let program = "\(instance.probes)/set-uid"
        try copyFile(instance.probe, to: program, mode: 0o4755)
        // The control runs as the class's user outside: there the bit works.
        let control = try HostProcess(
            ["setpriv", "--reuid=61004", "--regid=61004", "--clear-groups", program, "am_root"])
        #expect(control.remainingOutput(within: .seconds(10)).trimmed == "open")
        let ended = try instance.runToEnd("user.set-uid", argv: [program, "am_root"])
        #expect(ended.lines == ["closed EPERM"], "\(ended.data.text())")
    }

    @Test func wallLimitEndsACommandThatIgnoresTerm() throws {
        let instance = try OneInstance.shared()
        let ended = try instance.runToEnd(
            "user.stubborn", argv: ["/bin/bash", "-c", "trap '' TERM; while :; do sleep 1; done"],
            policies: ["retry": ["count": 0], "timeout": 1, "grace": 1])
        #expect(ended.outcome == "timed_out", "\(ended.data.text())")
        #expect(ended.cause == "timeout")
    }

    @Test func hostileOutputIsBoundedAndKept() throws {
        let instance = try OneInstance.shared()
        let ended = try instance.runToEnd(
            "user.output",
            argv: [
                "/bin/bash", "-c",
                "printf 'bad \\xff\\x00byte\\n'; head -c 50000000 /dev/zero; echo; echo end",
            ])
        #expect(ended.outcome == "succeeded", "\(ended.data.text())")
        #expect(ended.lines.first?.hasPrefix("bad ") == true)
        let kept = ended.lines.reduce(0) { $0 + $1.utf8.count }
        #expect(kept < 8 << 20, "\(kept) bytes of 50 MB kept")
    }
}

extension Test {
    /// Leaves a row out whose way this kernel was built without: it would prove nothing.
    static func cancelIfLacking(_ row: EscapeRow) throws {
        guard let need = row.need, need.isLacking else { return }
        try Test.cancel("this machine lacks \(need)")
    }
}
