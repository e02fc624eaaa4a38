// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import Testing

@testable import LinuxSandbox

/// The life of attempts on the real kernel, as the worker is told of it.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct ForkServerTests {
    @Test(arguments: [true, false]) func attemptRunsUnderEveryLayerAndEnds(
        userNamespace: Bool
    ) throws {
        let outcome = try AttemptFixture(userNamespace: userNamespace).run("nothing")
        let names = Layer.allCases.map(\.name).joined(separator: ",")
        #expect(outcome.confined == "held=\(names) missing=", "\(outcome)")
        #expect(outcome.said == "nothing")
        #expect(outcome.ended("status") == 0)
        #expect((outcome.ended("peak") ?? 0) > 0)
        #expect(outcome.isDone)
    }

    @Test(arguments: [true, false]) func workerHoldsNoCapabilityAfterTheSplit(
        userNamespace: Bool
    ) throws {
        var fixture = AttemptFixture(userNamespace: userNamespace)
        if !userNamespace { fixture.plan.hostCapabilities = 1 << 2 }
        let outcome = try fixture.run("nothing")
        let none = String(repeating: "0", count: 16)
        let expected = ["CapPrm", "CapEff", "CapBnd", "CapAmb"].map { "\($0)=\(none)" }
        #expect(
            outcome.lines.last?.hasPrefix("done caps=\(expected.joined(separator: " "))") == true,
            "\(outcome)")
    }

    @Test(arguments: [true, false]) func asyncSwiftRunsInATaskProcess(userNamespace: Bool) throws {
        let outcome = try AttemptFixture(userNamespace: userNamespace).run("async")
        #expect(outcome.said == "sum 36", "\(outcome)")
        #expect(outcome.ended("status") == 0)
    }

    @Test(arguments: [true, false]) func killEndsAnAttemptAndAnUnknownOneIsIgnored(
        userNamespace: Bool
    ) throws {
        let outcome = try AttemptFixture(userNamespace: userNamespace).run("sleep!kill", "nothing")
        #expect(outcome.ended("status") == Int(SIGKILL), "\(outcome)")
        #expect(outcome.refused == nil && outcome.said == "nothing")
    }

    @Test(arguments: [true, false]) func endIsToldWhenTheWholeTreeIsGone(
        userNamespace: Bool
    ) throws {
        let plan = AttemptFixture(userNamespace: userNamespace).plan
        // Worker and fork server, and with own namespaces a process that was made ahead.
        let own = userNamespace ? 3 : 2
        // The control: the host sees an attempt that lives beside them.
        let living = try ClassFixture(plan: plan)
        try living.launch("/aico/bin/sandbox-fixture", ["sleep"])
        _ = living.output(until: "confined")
        #expect(living.settledProcessCount(own + 1) == own + 1)
        let fixture = try ClassFixture(plan: plan)
        try fixture.launch("/aico/bin/sandbox-fixture", ["@stay", "orphan"])
        let lines = fixture.output(until: "done")
        #expect(lines.contains("said left one"))
        #expect(fixture.settledProcessCount(own) == own)
    }

    @Test func oneMoreThanTheConcurrencyIsRefused() throws {
        let outcome = try AttemptFixture().run("@together", "sleep", "sleep", "nothing")
        #expect(outcome.refused == "cgroup \(EAGAIN) 2 attempts run already", "\(outcome)")
        #expect(outcome.lines.filter { $0.hasPrefix("ended status=9") }.count == 2, "\(outcome)")
        #expect(outcome.isDone)
    }

    @Test(arguments: [
        "short", "long", "empty", "unknown", "padding", "spawn without a socket",
        "kill with a socket", "kill with capabilities",
    ]) func badOrderEndsTheForkServer(kind: String) throws {
        let outcome = try AttemptFixture().run("@bad \(kind)")
        #expect(outcome.lines == ["closed"], "\(outcome)")
    }

    @Test func goodOrderByTheSameWayDoesNot() throws {
        let outcome = try AttemptFixture().run("@bad kill of none")
        #expect(outcome.ended("status") == 0, "\(outcome)")
    }

    /// No number is left for a further descriptor: an attempt is refused by that name, and the next
    /// one is not once there is.
    @Test func descriptorsThatAreUsedUpEndNoForkServer() throws {
        let fixture = try GrantFixture(
            userNamespace: false, ["nothing", "nothing", "nothing", "nothing"]
        ) { _ in [] }
        #expect(try fixture.next().said == "nothing", "the control")
        let forkServer = try #require(children(of: fixture.worker.pid).first)
        try limitDescriptors(of: forkServer, to: 3)
        for _ in 0..<2 {
            let outcome = try fixture.next()
            #expect(outcome.refused?.contains(" \(EMFILE) ") == true, "\(outcome)")
            #expect(outcome.said == nil, "\(outcome)")
        }
        try limitDescriptors(of: forkServer, to: 1024)
        let after = try fixture.next()
        #expect(after.said == "nothing" && after.refused == nil, "\(after)")
        #expect(children(of: fixture.worker.pid).first == forkServer)
    }

    /// poll(2) refuses more descriptors than a process may have. Whoever went on would hear of nothing
    /// any more, and take a processor for it.
    @Test func forkServerThatCannotWaitEnds() throws {
        let fixture = try GrantFixture(userNamespace: false, ["nothing", "nothing"]) { _ in [] }
        #expect(try fixture.next().said == "nothing", "the control")
        let forkServer = try #require(children(of: fixture.worker.pid).first)
        let pidfd = aico_pidfd_open(forkServer)
        try #require(pidfd >= 0)
        defer { close(pidfd) }
        try limitDescriptors(of: forkServer, to: 1)
        try fixture.begin()
        // Its worker does so too, and the class is launched anew.
        var ended = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        #expect(poll(&ended, 1, 20_000) == 1)
    }

    /// Sets a process's soft limit as prlimit(1) does, by a process of the same user: root may lack
    /// the capability.
    private func limitDescriptors(of process: pid_t, to number: Int) throws {
        let texts = CTexts()
        let words = [
            "/usr/bin/setpriv", "--reuid=61004", "--regid=61004", "--clear-groups",
            "/usr/bin/prlimit", "--pid=\(process)", "--nofile=\(number):",
        ]
        var child = pid_t()
        try #require(
            posix_spawn(&child, words[0], nil, nil, texts.vector(words), environ) == 0)
        var status: Int32 = -1
        waitpid(child, &status, 0)
        try #require(status == 0)
    }

    @Test func splitIsRefusedToAProcessWithThreads() throws {
        var other = pthread_t()
        pthread_create(&other, nil, { _ in nil }, nil)
        defer { pthread_join(other, nil) }
        try #require(aico_thread_count() > 1)
        let error = #expect(throws: SandboxError.self) {
            _ = try ForkServer.split(plan: Plan()) { _ in exit(1) }
        }
        #expect(error?.errno == EBUSY)
    }

    @Test(arguments: [true, false]) func attemptDiesWithItsForkServer(
        userNamespace: Bool
    ) throws {
        let fixture = try ClassFixture(plan: AttemptFixture(userNamespace: userNamespace).plan)
        let worker = try fixture.launch("/aico/bin/sandbox-fixture", ["sleep"])
        _ = fixture.output(until: "confined")
        let forkServer = try #require(children(of: worker.pid).first)
        let task = try #require(children(of: forkServer).first)
        let pidfd = Int32(aico_system_call(Int(SYS_pidfd_open), Int(task), 0, 0, 0, 0, 0))
        try #require(pidfd >= 0)
        defer { close(pidfd) }
        kill(forkServer, SIGKILL)
        var waiting = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        #expect(poll(&waiting, 1, 10_000) == 1)
    }

    @Test(arguments: [true, false]) func threeHundredAttemptsLeaveNothingBehind(
        userNamespace: Bool
    ) throws {
        var plan = AttemptFixture(userNamespace: userNamespace).plan
        plan.concurrency = 1
        let fixture = try ClassFixture(plan: plan)
        let kinds = ["nothing", "sleep!kill", "orphan", "call 9999"]
        let scenarios = (0..<300).map { kinds[$0 % kinds.count] }
        let before = try footprint(fixture, Array(scenarios.prefix(60)))
        let again = try ClassFixture(plan: fixture.plan)
        let after = try footprint(again, scenarios)
        #expect(after == before)
        // Its slot's, and that of the process made ahead once that was needed: which attempt needs
        // it first is a matter of time.
        #expect((1...2).contains(fixture.readySlots.count), "\(fixture.cgroupNames)")
        #expect((1...2).contains(again.readySlots.count), "\(again.cgroupNames)")
    }

    /// Descriptors, children and mounts of a fork server, and cgroups of its class, without the
    /// ready leaves and their files.
    private func footprint(_ fixture: ClassFixture, _ scenarios: [String]) throws -> [String: Int] {
        let worker = try fixture.launch("/aico/bin/sandbox-fixture", ["@stay"] + scenarios)
        let lines = fixture.output(until: "done")
        try #require(lines.filter { $0.hasPrefix("ended") }.count == scenarios.count)
        let forkServer = try #require(children(of: worker.pid).first)
        // The worker waits for nothing more: the sweeps after the last end are what is awaited here.
        // In the midst of one a file more is open, or a leaf less.
        var seen = state(fixture, forkServer)
        var equal = 0
        for _ in 0..<100 where equal < 3 {
            poll(nil, 0, 20)
            let next = state(fixture, forkServer)
            equal = next == seen ? equal + 1 : 0
            seen = next
        }
        return seen
    }

    private func state(_ fixture: ClassFixture, _ forkServer: pid_t) -> [String: Int] {
        let descriptors = "/proc/\(forkServer)/fd"
        let ofLeaves = entries(of: descriptors).filter {
            var path = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("\(descriptors)/\($0)", &path, path.count)
            return ClassFixture.isLeaf(
                String(
                    decoding: path.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self
                ))
        }
        return [
            "descriptors": entries(of: descriptors).count - ofLeaves.count,
            "children": children(of: forkServer).count,
            "mounts": (readFile("/proc/\(forkServer)/mountinfo") ?? "").split(separator: "\n")
                .count,
            "cgroups": fixture.cgroupNames.filter { !ClassFixture.isLeaf($0) }.count,
        ]
    }

    private func children(of process: pid_t) -> [pid_t] {
        (readFile("/proc/\(process)/task/\(process)/children") ?? "").split(separator: " ")
            .compactMap { pid_t($0) }
    }
}
