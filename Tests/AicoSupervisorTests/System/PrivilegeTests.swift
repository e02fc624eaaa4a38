// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import Foundation
import Glibc
import LinuxSandbox
import LinuxSystem
import Testing

@testable import AicoSupervisor

/// What set-up asks of its rights: all that is whose, and nothing of it on its own.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root's cgroups"))
struct PrivilegeTests {
    private let scratch: ScratchDirectory
    private static let profiles =
        "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        + "/sandbox-profiles"

    init() throws { scratch = try ScratchDirectory() }

    private func compiler(_ privilege: FakePrivilege) -> Compiler {
        Compiler(
            binaries: "\(scratch.path)/bin", profiles: Self.profiles,
            root: "\(scratch.path)/root", privilege: privilege)
    }

    private static let rows = InstanceDirectory.all + WorkerID.shipped.map { .pipes(of: $0) }

    private static let setUp: [String] = {
        let early = Layout.runtime.map { "give \($0.path)" }
        let compiled =
            [
                "start aico-profilec --scheduler-filter as 61005",
                "start aico-profilec --workers as 61005",
            ]
            + TaskClass.allCases.map { "start aico-profilec --class \($0.name) as 61005" }
        let rest = rows.map { "give \($0.path)" }.filter { !early.contains($0) }
        let described = WorkerID.shipped.map { worker in
            "start \(worker.name) --describe as \(61001 + worker.number)"
        }
        return early + ["show", "identities"] + compiled + rest + ["cgroups"] + described
    }()

    @Test func setUpAsksForEachOnceAndInOrder() throws {
        let privilege = FakePrivilege(scratch)
        let system = try PreparedSystem(compiler(privilege))
        #expect(privilege.asked == Self.setUp)
        #expect(system.compiled.plans.count == TaskClass.allCases.count)
        // What was not given stays whose it was.
        for row in Self.rows {
            #expect(try scratch.status("root/\(row.path)").st_uid == geteuid(), "\(row.path)")
        }
        try system.tree.remove()
    }

    @Test(arguments: [
        "give run/aico", "show", "identities", "start aico-profilec --scheduler-filter as 61005",
        "start aico-profilec --class user as 61005", "give var/lib/aico/store", "cgroups",
    ])
    func setUpEndsWithWhatIsRefused(words: String) throws {
        let privilege = FakePrivilege(scratch, refusing: words)
        #expect(throws: (any Error).self) {
            let system = try PreparedSystem(compiler(privilege))
            try system.tree.remove()
        }
        let index = try #require(Self.setUp.firstIndex(of: words))
        #expect(privilege.asked == Array(Self.setUp[...index]))
    }

    @Test func everyProcessIsStartedByTheRightsThatThereAre() throws {
        let privilege = FakePrivilege(scratch)
        let system = try PreparedSystem(compiler(privilege))
        let supervisor = Supervisor(system, stopSignals: Descriptor(owning: eventfd(0, 0)))
        let before = privilege.asked.count
        supervisor.launchScheduler()
        for worker in WorkerID.shipped { supervisor.launchWorker(worker) }
        let started = privilege.asked.dropFirst(before)
        #expect(started.first?.hasPrefix("start aico-scheduler ") == true)
        #expect(
            Array(started.dropFirst())
                == WorkerID.shipped.map { "start worker /aico/bin/\($0.name)" })
        // Words of the fake's that only a refusal of it has.
        #expect(
            supervisor.pending.suffix(4).map { event -> WorkerID? in
                if case .workerLaunchFailed(let worker, EUSERS, _) = event { worker } else { nil }
            } == WorkerID.shipped)
        try supervisor.tree.remove()
    }
}
