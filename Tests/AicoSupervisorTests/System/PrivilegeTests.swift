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
                "start aico-profilec --filters as 61005",
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
        "give run/aico", "show", "identities", "start aico-profilec --filters as 61005",
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
        let supervisor = Supervisor(
            system, stopSignals: Descriptor(owning: eventfd(0, 0)), service: nil)
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

    // MARK: - Ends of waits

    /// With its name, so that whoever reads the log knows which profile it hung at.
    @Test func aCompilerThatHangsIsKilledInTime() throws {
        let hung = "start aico-profilec --class user as 61005"
        let privilege = FakePrivilege(scratch, hanging: hung)
        var compiler = compiler(privilege)
        compiler.timeLimit = .milliseconds(300)
        let began = Clock.monotonic
        let error = #expect(throws: SupervisorError.self) {
            _ = try compiler.compile(try privilege.identities(from: compiler))
        }
        #expect(Clock.monotonic - began < .seconds(20))
        let said = error.map { "\($0)" } ?? ""
        #expect(said.contains("aico-profilec --class user") && said.contains("took too long"))
    }

    /// What hangs in a call of a granted path does not end by its kill; one that sleeps on, as nobody
    /// kills it, stands for it.
    @Test func aWorkerIsNotLaunchedBesideOneOfBeforeThatHangs() throws {
        let privilege = FakePrivilege(scratch)
        let system = try PreparedSystem(compiler(privilege))
        let supervisor = Supervisor(
            system, stopSignals: Descriptor(owning: eventfd(0, 0)), service: nil)
        let hung = try FakePrivilege.sleeper()
        supervisor.leave(hung, of: .user)
        let began = Clock.monotonic
        supervisor.launchWorker(.user)
        #expect(Clock.monotonic - began < .seconds(20))
        guard case .workerLaunchFailed(.user, EBUSY, _) = supervisor.pending.last else {
            Issue.record("\(supervisor.pending)")
            return
        }
        #expect(privilege.asked.last != "start worker /aico/bin/aico-worker-user")
        // No other class waits for it, nor does this one once it has ended.
        supervisor.launchWorker(.agency)
        #expect(privilege.asked.last == "start worker /aico/bin/aico-worker-agency")
        kill(hung.pid, SIGKILL)
        supervisor.launchWorker(.user)
        #expect(privilege.asked.last == "start worker /aico/bin/aico-worker-user")
        try supervisor.tree.remove()
    }

    @Test func theSystemsEndWaitsForNothingThatHangs() throws {
        let system = try PreparedSystem(compiler(FakePrivilege(scratch)))
        let supervisor = Supervisor(
            system, stopSignals: Descriptor(owning: eventfd(0, 0)), service: nil)
        let hung = try FakePrivilege.sleeper()
        supervisor.leave(hung, of: .user)
        let began = Clock.monotonic
        try supervisor.leaveNothing()
        #expect(Clock.monotonic - began < .seconds(20))
        #expect(kill(hung.pid, SIGKILL) == 0, "it was waited for to its end")
        #expect(waitpid(hung.pid, nil, 0) == hung.pid)
    }

    // MARK: - What a worker holds of the host

    @Test(arguments: ["/dev/null", "/etc/passwd"])
    func aWorkerThatHoldsSomethingOfTheHostsIsEnded(path: String) throws {
        let system = try PreparedSystem(compiler(FakePrivilege(scratch, leaking: path)))
        let supervisor = Supervisor(
            system, stopSignals: Descriptor(owning: eventfd(0, 0)), service: nil)
        supervisor.launchWorker(.user)
        // As at each heartbeat.
        supervisor.lookAtDescriptors(of: .user, on: Supervisor.readMounts())
        let worker = try #require(supervisor.workers[.user])
        if path == "/dev/null" {
            #expect(worker.fault == nil && worker.child.reap() == nil, "the control")
        } else {
            #expect(worker.fault?.contains(path) == true, "\(String(describing: worker.fault))")
            #expect(worker.child.wait(for: .seconds(20)) == .signaled(signal: SIGKILL))
        }
        try supervisor.leaveNothing()
    }
}
