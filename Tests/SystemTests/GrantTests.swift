// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc
import Testing

/// What class user's profile grants of the host, from the profile to the record and health.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct GrantTests {
    /// A place for grants, not below /tmp: a task has one of its own there.
    private final class Place {
        let path: String
        init() throws { path = try temporaryDirectory("grants", below: "/var/tmp") }
        deinit { removeTree(path) }

        /// The profile's last lines with these grants in them.
        func profile(_ lines: String) -> (String) -> String {
            let lines = lines.replacing("$", with: path)
            return { text in
                text.replacing("\nreadable:\nwritable:\n", with: "\n\(lines)\n")
            }
        }
    }

    @Test func missingPathFailsOnlyTheAttemptsThatNeedItByName() throws {
        let place = try Place()
        let instance = try Instance(
            change: place.profile(
                "writable:\n  - $/backup  # a disk\nwritable_if_present:\n  - $/other  # another"))
        let target = "\(place.path)/backup"
        let client = try instance.client()
        let argv = ["/bin/sh", "-c", "echo kept > \(target)/file"]
        let beside = try instance.runToEnd("user.beside", argv: ["/bin/echo", "fine"])
        #expect(beside.outcome == "succeeded", "\(beside.data.text())")
        #expect(beside.data.text().contains("show '\(target)'"), "\(beside.data.text())")
        let refused = try instance.runToEnd("user.early", argv: argv)
        #expect(refused.outcome == "failed_transient", "\(refused.data.text())")
        #expect(refused.data.text().contains("show '\(target)'"), "\(refused.data.text())")
        let lack = try client.request(topic: "scheduler.health", body: [:]).text()
        #expect(lack.contains("grants.user") && lack.contains(target), "\(lack)")
        #expect(lack.contains("takes orders"), "\(lack)")
        let create = ["scheduler", "create", "user.other", "@daily", "--", "/bin/true"]
        let update = ["scheduler", "update", "user.other", "--timeout", "1m"]
        for words in [create, update] {
            let said = try instance.aico(words)
            #expect(said.status == 0 && said.output.contains("warning: class user:"), "\(said)")
            #expect(said.output.contains("show '\(target)'"), "\(said)")
        }
        mkdir(target, 0o777)
        chmod(target, 0o777)
        let kept = try instance.runToEnd("user.late", argv: argv)
        #expect(kept.outcome == "succeeded", "\(kept.data.text())")
        #expect(try textOfFile("\(target)/file") == "kept\n")
        let after = try client.request(topic: "scheduler.health", body: [:]).text()
        #expect(!after.contains("grants.user"), "\(after)")
        let said = try instance.aico(update)
        #expect(said.status == 0 && !said.output.contains("warning"), "\(said)")
        #expect(instance.stop() == 0)
    }

    /// A keeper of grants in a call that no signal ends: its class is told of, the others go on, and
    /// the system's stop leaves it to the kernel.
    @Test(
        .enabled(if: HungFileSystem.isPossible, "needs /dev/fuse"),
        .enabled(
            if: !Built.isGuest, "leaves a process that nothing ends, which was not tried there"))
    func keeperThatCannotBeKilledHoldsUpItsClassAloneAndNoStop() throws {
        let place = try Place()
        let disk = "\(place.path)/disk"
        mkdir(disk, 0o755)
        let server = try HungFileSystem(on: disk)
        defer { server.leave() }
        let instance = try Instance(
            change: place.profile("readable_if_present:\n  - $/disk/data  # a disk of the network"))
        let client = try instance.client()
        let before = try instance.runToEnd("user.before", argv: ["/bin/true"])
        #expect(before.outcome == "succeeded", "\(before.data.text())")
        server.hang()
        let refused = try instance.runToEnd("user.refused", argv: ["/bin/true"])
        #expect(refused.outcome != "succeeded", "\(refused.data.text())")
        #expect(refused.data.text().contains("look at '\(disk)/data'"), "\(refused.data.text())")
        let health = try client.request(topic: "scheduler.health", body: [:]).text()
        #expect(health.contains("grants.user") && health.contains("\(disk)/data"), "\(health)")

        let keeper = try #require(try keepers(of: instance).first { try isInCall($0) })
        kill(keeper, SIGKILL)
        usleep(200_000)
        #expect(try isInCall(keeper), "the control: it cannot be killed")
        let other = try instance.run("maintenance.health_check", client: client)
        let deadline = ContinuousClock.now + Built.patience(seconds: 30)
        var record = try instance.record(of: other, client: client)
        while record.data["state"]?.string != "ended", .now < deadline {
            record = try instance.record(of: other, client: client)
        }
        #expect(record.outcome == "succeeded", "\(record.data.text())")

        let began = ContinuousClock.now
        #expect(instance.stop() == 0)
        #expect(.now - began < Built.patience(seconds: 10))
        #expect(
            instance.supervisor.waitForLine(
                "process \(keeper) was killed and does not end",
                within: Built.patience(seconds: 10)), "\(instance.supervisor.lines)")
        #expect(try isInCall(keeper), "it is the kernel's")
        #expect(try instance.cgroups() == [])
    }

    private func keepers(of instance: Instance) throws -> [Int32] {
        let own = instance.supervisor.processID
        return try textOfFile("/proc/\(own)/task/\(own)/children").split(separator: " ")
            .compactMap { Int32($0) }
            .filter { try textOfFile("/proc/\($0)/comm") == "aico-grants\n" }
    }

    /// Whether it sleeps in a call that no signal ends.
    private func isInCall(_ process: Int32) throws -> Bool {
        try textOfFile("/proc/\(process)/status").contains("State:\tD")
    }

    @Test func taskThatClosesItsClassesDirectoryClosesItForNobodyElse() throws {
        let instance = try Instance()
        let work = "\(instance.root)/var/lib/aico/work"
        let closed = try instance.runToEnd(
            "user.closes", argv: ["/bin/sh", "-c", "chmod 0 /aico/work; ls /aico/work"])
        #expect(closed.outcome != "succeeded", "the control: it is closed to itself")
        #expect(closed.lines.contains { $0.contains("Permission denied") }, "\(closed)")
        let next = try instance.runToEnd(
            "user.next", argv: ["/bin/sh", "-c", "echo here > /aico/work/file"])
        #expect(next.outcome == "succeeded", "\(next.data.text())")
        #expect(try textOfFile("\(work)/file") == "here\n")
        #expect(instance.stop() == 0)
    }

    @Test func checkNamesWhatIsMissing() throws {
        let place = try Place()
        let instance = try Instance(
            change: place.profile(
                "readable:\n  - $/none  # missing\nwritable_if_present:\n  - $/other  # maybe"))
        let said = try instance.check()
        #expect(
            said.contains("class user: '\(place.path)/none' cannot be shown: No such file"),
            "\(said)")
        #expect(!said.contains("\(place.path)/other"), "\(said)")
        #expect(said.contains("are in order"), "\(said)")
        #expect(instance.stop() == 0)
    }
}
