// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc
import Testing

/// Bad configuration and profiles, given to the built supervisor: it says where and changes nothing.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct ConfigurationTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var text: String
        var refusal: String
        var testDescription: String { text }
    }

    static let faults = [
        Fault(
            text: "scheduler:\n  max_cpu_percnt: 80\n",
            refusal: "core.yaml:2: unknown key 'max_cpu_percnt' in 'scheduler'; "
                + "did you mean 'max_cpu_percent'?"),
        Fault(
            text: "scheduler:\n  max_cpu_percent: many\n", refusal: "core.yaml:2: 'max_cpu_percent'"
        ),
        Fault(
            text: "scheduler:\n  max_cpu_percent: 101\n", refusal: "core.yaml:2: 'max_cpu_percent'"),
        Fault(text: "scheduler: [\n", refusal: "core.yaml:"),
    ]

    @Test(arguments: faults) func stopsTheStart(fault: Fault) throws {
        let bin = try #require(Built.directory)
        let root = try temporaryDirectory("config")
        defer { removeTree(root) }
        for part in ["etc", "etc/aico"] { mkdir("\(root)/\(part)", 0o755) }
        try writeFile(fault.text, to: "\(root)/etc/aico/core.yaml")
        for words in [[], ["--check"]] {
            let supervisor = try HostProcess(
                [
                    "\(bin)/aico-supervisor", "--root", root, "--profiles",
                    "\(projectDirectory)/sandbox-profiles",
                ] + words)
            let said = supervisor.remainingOutput(within: Built.patience(seconds: 30))
            let status = supervisor.waitForEnd(within: Built.patience(seconds: 30))
            #expect(status != nil && status != 0, "it started")
            #expect(said.contains(fault.refusal), "\(said)")
        }
        #expect(!fileExists("\(root)/var/lib/aico/store/aico.db"))
        #expect(!fileExists("\(root)/var/lib/aico/keys/master.key"))
    }

    @Test func goodConfigurationPassesTheCheckAndMakesNothing() throws {
        let bin = try #require(Built.directory)
        let root = try temporaryDirectory("config")
        defer { removeTree(root) }
        let supervisor = try HostProcess(
            [
                "\(bin)/aico-supervisor", "--root", root, "--profiles",
                "\(projectDirectory)/sandbox-profiles", "--check",
            ])
        let said = supervisor.remainingOutput(within: Built.patience(seconds: 30))
        #expect(supervisor.waitForEnd(within: Built.patience(seconds: 30)) == 0, "\(said)")
        #expect(said.contains("configuration, profiles and keys are in order"))
        #expect(try directoryEntries(root).isEmpty)
    }

    /// A path that no plan takes.
    @Test(arguments: ["--bin", "--profiles", "--root"])
    func thePlanCompilerSaysWhatIsTooLong(word: String) throws {
        let bin = try #require(Built.directory)
        var values = ["--profiles": "\(projectDirectory)/sandbox-profiles", "--bin": bin]
        values[word] = "/" + String(repeating: "x", count: 1010)
        let compiler = try HostProcess(
            ["\(bin)/aico-profilec", "--class", "user"] + values.flatMap { [$0.key, $0.value] })
        let said = compiler.remainingOutput(within: Built.patience(seconds: 30))
        // As waitpid(2) gives it: exit status 2.
        #expect(compiler.waitForEnd(within: Built.patience(seconds: 30)) == 2 << 8, "\(said)")
        #expect(said.contains("'\(word)' has 1011 bytes") && said.contains("give at most 900"))
    }

    /// Bad client key files: the others work, and log, health and both checks name each.
    @Test func badClientKeysAreNamedAndKeepNobodyOut() throws {
        let bin = try #require(Built.directory)
        let instance = try Instance()
        let clients = "\(instance.root)/var/lib/aico/keys/clients"
        let viewer = try instance.admit("viewer", role: "viewer")
        try instance.admit("twin", role: "admin", publicKey: viewer)
        let key = "public \(String(repeating: "7", count: 40))\n"
        let bad = [
            ("a-empty", "", "is not admitted: it is empty"),
            ("b-role", key + "role Admin\n", "line 2 is not admitted: unknown role \"Admin\""),
            ("c-crlf", key + "role viewer\r\n", "line 2 is not admitted: it ends with CR and LF"),
        ]
        for (name, text, _) in bad {
            try instance.writeClientKey(text, name: name)
        }
        // Root's own: the scheduler cannot read it.
        try writeFile(key + "role viewer\n", to: "\(clients)/d-closed.key", mode: 0o400)
        // The integrity check's record of all else does not wait for it.
        mkdir("\(clients)/e-shut", 0o700)
        let sentences =
            bad.map { "\($0.0).key\" \($0.2)" } + [
                "d-closed.key\" is not admitted: cannot open it: Permission denied",
                "twin.key\" is not admitted: it has the public key of \"viewer.key\" as well",
                "viewer.key\" is not admitted: it has the public key of \"twin.key\" as well",
            ]
        #expect(instance.stop() == 0)
        try instance.restart()
        #expect(
            instance.supervisor.waitForLine(
                "recorded the baseline", within: Built.patience(seconds: 30)))
        let health = try instance.client().request(topic: "scheduler.health", body: [:])
        let messages = (health["checks"]?.array ?? []).filter {
            $0["name"]?.string == "bus.keys"
        }.compactMap { $0["message"]?.string }
        let log = try textOfFile("\(instance.root)/var/log/aico/scheduler.log")
        for sentence in sentences {
            #expect(messages.contains { $0.contains(sentence) }, "\(sentence): \(health.text())")
            #expect(log.contains(sentence.replacing("\"", with: "'")), "\(sentence)")
        }
        #expect(instance.stop() == 0)
        let check = try HostProcess([
            "\(bin)/aico-supervisor", "--root", instance.root, "--profiles",
            "\(projectDirectory)/sandbox-profiles", "--check",
        ])
        let said = check.remainingOutput(within: Built.patience(seconds: 30))
        let status = check.waitForEnd(within: Built.patience(seconds: 30))
        #expect(status != nil && status != 0, "\(said)")
        for sentence in sentences { #expect(said.contains(sentence), "\(sentence): \(said)") }
        #expect(!said.contains("in order"))
    }

    /// What can still run does: a warning, at the start and by both checks.
    @Test func missingWorkerAndPassedInstantAreWarnedOf() throws {
        let executables = try linkedExecutables()
        defer { removeTree(executables) }
        unlink("\(executables)/aico-worker-agency")
        let configuration = """
            tasks:
              maintenance:
                log_cleanup: {schedule: "at:2020-01-15T10:00:00Z", timeout: 604800}

            """
        let warnings = [
            "timeout of task maintenance.log_cleanup": "write timeout: 3600, or raise",
            "aico-worker-agency": "No such file or directory; its tasks do not run",
            "task maintenance.log_cleanup never runs": "is in the past",
        ]
        let instance = try Instance(
            configuration: configuration, executables: executables,
            awaiting: "its tasks do not run")
        for warning in warnings {
            let line = instance.supervisor.lines.first { $0.contains(warning.key) }
            #expect(line?.contains(warning.value) == true, "\(instance.supervisor.lines)")
        }
        #expect(try reply(of: instance) != .null, "the others work")
        #expect(instance.stop() == 0)
        let checks = [
            ["aico-scheduler", "--bin", executables, "--time-limit", "maintenance=3600"],
            ["aico-supervisor", "--profiles", "\(projectDirectory)/sandbox-profiles"],
        ]
        for check in checks {
            let process = try HostProcess(
                ["\(executables)/\(check[0])", "--check", "--root", instance.root] + check[1...])
            let said = process.remainingOutput(within: Built.patience(seconds: 30))
            #expect(process.waitForEnd(within: Built.patience(seconds: 30)) == 0, "\(said)")
            for warning in warnings {
                #expect(said.contains(warning.key) && said.contains(warning.value), "\(said)")
            }
        }
    }

    /// An answer of the bus, which may not be there yet.
    private func reply(of instance: Instance) throws -> JSONValue {
        let deadline = ContinuousClock.now + Built.patience(seconds: 30)
        while true {
            do {
                return try instance.client().request(topic: "scheduler.stats", body: [:])
            } catch {
                guard ContinuousClock.now < deadline else {
                    _ = instance.supervisor.waitForLine("no such line", within: .zero)
                    let said = instance.supervisor.lines.joined(separator: "\n")
                    throw SystemFailure("\(error); the system said:\n\(said)")
                }
                sched_yield()
            }
        }
    }

    /// What is in use is named by a start and by `--check`, and ends both; a system that runs is itself
    /// what has its endpoints.
    @Test(arguments: ["tcp", "ipc"]) func endpointInUseEndsTheStart(kind: String) throws {
        let bin = try #require(Built.directory)
        let taken = try TakenPort()
        let configuration = "bus:\n  requests: tcp://127.0.0.1:\(taken.port)\n"
        if kind == "tcp" { taken.leave() }
        let instance = try Instance(configuration: kind == "tcp" ? configuration : nil)
        #expect(try instance.check().contains("are in order"))
        #expect(instance.stop() == 0)
        let path = "\(instance.root)/run/aico/bus/bus.sock"
        let listener = try kind == "tcp" ? TakenPort(taken.port) : TakenPort(path: path)
        let expected =
            kind == "tcp"
            ? [
                "cannot listen at \"tcp://127.0.0.1:\(taken.port)\": another process listens there",
                "ss -tlnp 'sport = :\(taken.port)'",
                "set another 'bus.requests' in \(instance.root)",
            ]
            : [
                "cannot listen at \"\(path)\": process \(getpid()) of user 0 listens there",
                "kill \(getpid())",
            ]
        for words in [[], ["--check"]] {
            let supervisor = try HostProcess(
                [
                    "\(bin)/aico-supervisor", "--root", instance.root, "--profiles",
                    "\(projectDirectory)/sandbox-profiles",
                ] + words)
            let said = supervisor.remainingOutput(within: Built.patience(seconds: 60))
            #expect(
                supervisor.waitForEnd(within: Built.patience(seconds: 30)) == 71 << 8, "\(said)")
            for part in expected { #expect(said.contains(part), "\(part) in \(said)") }
            #expect(said.contains("see above") && !said.contains("starts again"), "\(said)")
        }
        #expect(try instance.cgroups() == [])
        listener.leave()
        try instance.restart()
        #expect(instance.stop() == 0)
    }

    /// Without the key that its database was made with no scheduler starts, nor is one started again.
    @Test(arguments: ["another", "missing"]) func aStoreWithoutItsKeyEndsTheStart(kind: String)
        throws
    {
        let bin = try #require(Built.directory)
        let instance = try Instance()
        #expect(instance.stop() == 0)
        let key = "\(instance.root)/var/lib/aico/keys/master.key"
        let database = "\(instance.root)/var/lib/aico/store/aico.db"
        let right = try bytesOfFile(key)
        let before = try bytesOfFile(database)
        if kind == "another" {
            try writeFile(right.map { $0 ^ 1 }, to: key, mode: 0o440)
        } else {
            rename(key, "\(key).saved")
        }
        let expected =
            kind == "another"
            ? "cannot use master key \"\(key)\": it is not the key that the database"
            : "cannot open master key \"\(key)\": it is missing"
        for words in [[], ["--check"]] {
            let supervisor = try HostProcess(
                [
                    "\(bin)/aico-supervisor", "--root", instance.root, "--profiles",
                    "\(projectDirectory)/sandbox-profiles",
                ] + words)
            let said = supervisor.remainingOutput(within: Built.patience(seconds: 60))
            #expect(
                supervisor.waitForEnd(within: Built.patience(seconds: 30)) == 71 << 8, "\(said)")
            #expect(said.split(separator: expected, omittingEmptySubsequences: false).count == 2)
            #expect(said.contains("put the saved key back"), "\(said)")
            #expect(said.contains("see above") && !said.contains("starts again"), "\(said)")
        }
        #expect(try bytesOfFile(database) == before)
        #expect(try instance.cgroups() == [])
        if kind == "another" {
            try writeFile(right, to: key, mode: 0o440)
        } else {
            rename("\(key).saved", key)
        }
        try instance.restart()
        #expect(instance.stop() == 0)
    }

    @Test func secondSupervisorOfARootIsRefused() throws {
        let bin = try #require(Built.directory)
        let instance = try Instance()
        let second = try HostProcess([
            "\(bin)/aico-supervisor", "--root", instance.root, "--profiles",
            "\(projectDirectory)/sandbox-profiles",
        ])
        let said = second.remainingOutput(within: Built.patience(seconds: 30))
        #expect(second.waitForEnd(within: Built.patience(seconds: 30)) != 0)
        #expect(said.contains("another aico-supervisor runs there"), "\(said)")
        #expect(try instance.client().request(topic: "scheduler.stats", body: [:]) != .null)
        #expect(instance.stop() == 0)
    }
}
