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
        #expect(said.contains("configuration and profiles are in order"))
        #expect(try directoryEntries(root).isEmpty)
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
