// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc

/// A whole system under a temporary root: the built supervisor and all that it starts.
///
/// Safe to share: the suites that use one are serialized.
final class Instance: @unchecked Sendable {
    let root: String
    /// Holds `escape-probe`; declared in the instance's profile of class user.
    let probes: String
    private let profiles: String
    private let starter: String?
    private(set) var supervisor: HostProcess
    /// Where its executables are.
    let bin: String

    /// The program that the probes are, as a task sees it.
    var probe: String { "\(probes)/escape-probe" }

    /// Starts a system and waits until all classes take orders, or for another line of its log.
    ///
    /// `change` is done to the text of class user's profile. `executables` is a directory with
    /// others than those that were built. `starter` is what a shell does before it becomes the
    /// supervisor, whose words are `"$@"`. Without a line to wait for, the bus is.
    init(
        configuration: String? = nil, userProfile extra: String = "", executables: String? = nil,
        starter: String? = nil, awaiting line: String? = "ready",
        change: (String) -> String = { $0 }
    ) throws {
        guard let built = Built.directory else { throw HostError(step: "find bin", errno: ENOENT) }
        let bin = executables ?? built
        self.bin = bin
        self.starter = starter
        root = try temporaryDirectory("system")
        // Not below /tmp: a task has one of its own there.
        probes = try temporaryDirectory("probes", below: "/var/tmp")
        profiles = try temporaryDirectory("profiles")
        try copyFile("\(built)/escape-probe", to: "\(probes)/escape-probe", mode: 0o755)
        try Self.copyProfiles(to: profiles, probes: probes, extra: extra, change: change)
        for part in ["etc", "etc/aico"] { mkdir("\(root)/\(part)", 0o755) }
        try writeFile(configuration ?? Self.patient, to: "\(root)/etc/aico/core.yaml")
        supervisor = try Self.start(bin: bin, root: root, profiles: profiles, starter)
        if let line { try wait(for: line) } else { try waitForBus() }
    }

    /// Whatever the machine is busy with must not hold a test's tasks back.
    private static let patient = """
        scheduler:
          max_cpu_percent: 100
          max_memory_percent: 100

        """

    /// Starts the supervisor again, on the same root.
    func restart() throws {
        supervisor = try Self.start(bin: bin, root: root, profiles: profiles, starter)
        try wait(for: "ready")
    }

    private static func start(
        bin: String, root: String, profiles: String, _ starter: String?
    ) throws -> HostProcess {
        try HostProcess(
            (starter.map { ["/bin/sh", "-c", $0, "sh"] } ?? [])
                + ["\(bin)/aico-supervisor", "--root", root, "--profiles", profiles],
            // What a task must never see.
            environment: ["PATH=/usr/bin:/bin", "LD_PRELOAD=", "BASH_ENV=/nowhere", "SECRET=yes"])
    }

    private func wait(for line: String) throws {
        guard supervisor.waitForLine(line, within: Built.patience(seconds: 30)) else {
            let said = supervisor.lines.joined(separator: "\n")
            throw SystemFailure("the system did not say \"\(line)\":\n\(said)")
        }
    }

    private func waitForBus() throws {
        let deadline = ContinuousClock.now + Built.patience(seconds: 60)
        while try aico(["scheduler", "list"]).status != 0 {
            guard ContinuousClock.now < deadline, supervisor.isRunning else {
                throw SystemFailure("the system does not answer")
            }
        }
    }

    /// What `aico-supervisor --check` says of its configuration and profiles.
    func check() throws -> String {
        let process = try HostProcess(
            ["\(bin)/aico-supervisor", "--root", root, "--profiles", profiles, "--check"])
        let said = process.remainingOutput(within: Built.patience(seconds: 60))
        _ = process.waitForEnd(within: Built.patience(seconds: 10))
        return said
    }

    /// A client with the admin's key.
    func client() throws -> BusClient { try BusClient.load(root: root, keyFile: nil) }

    /// Stops it in order; its raw wait status.
    func stop() -> Int32? {
        supervisor.signal(SIGTERM)
        return supervisor.waitForEnd(within: Built.patience(seconds: 30))
    }

    /// Runs the built `aico` against this instance.
    func aico(_ words: [String]) throws -> (output: String, status: Int32) {
        let process = try HostProcess(
            ["\(bin)/aico"] + words, environment: ["AICO_ROOT=\(root)", "PATH=/usr/bin:/bin"])
        let output = process.remainingOutput(within: Built.patience(seconds: 60))
        let raw = process.waitForEnd(within: Built.patience(seconds: 10)) ?? SIGKILL
        return (output, (raw >> 8) & 0xFF)
    }

    private static func copyProfiles(
        to target: String, probes: String, extra: String, change: (String) -> String
    ) throws {
        let source = "\(projectDirectory)/sandbox-profiles"
        mkdir("\(target)/include", 0o755)
        for directory in ["", "include/"] {
            for name in try directoryEntries("\(source)/\(directory)") where name.hasSuffix("yaml")
            {
                var text = try textOfFile("\(source)/\(directory)\(name)")
                if name == "user.yaml" {
                    text = change(text) + "executable:\n  - \(probes)  # the probes\n" + extra
                }
                try writeFile(text, to: "\(target)/\(directory)\(name)")
            }
        }
    }

    deinit {
        if supervisor.isRunning { _ = stop() }
        for directory in [root, probes, profiles] { removeTree(directory) }
    }
}

/// Something that a system did not do.
struct SystemFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
