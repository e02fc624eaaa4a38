// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import Testing

@testable import LinuxSandbox

/// Each layer of an attempt on the real kernel, with the same action where the layer is not.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct AttemptConfinementTests {
    private static let none = String(repeating: "0", count: 16)

    // MARK: namespaces, mounts

    @Test func attemptHasNamespacesOfItsOwn() throws {
        let host = try AttemptFixture.outside("namespaces").split(separator: " ")
        let outcome = try AttemptFixture().run("namespaces", "status")
        let inside = (outcome.said ?? "").split(separator: " ")
        try #require(host.count == 5 && inside.count == 5, "\(outcome)")
        for (own, foreign) in zip(inside, host) { #expect(own != foreign) }
        // The first process of its pid namespace, and of a session.
        #expect(outcome.lines.contains { $0.contains("NSpid=1 ") }, "\(outcome)")
    }

    @Test func temporaryDirectoryIsTheAttemptsOwn() throws {
        let own = try AttemptFixture().run("write /tmp/x", "read /tmp/x")
        #expect(own.lines.contains("said ok") && own.lines.contains("said errno \(ENOENT)"))
    }

    /// Of a class without a user namespace, whose attempts share /tmp and /proc.
    @Test func attemptOfASharedTemporaryDirectoryHasItsOwnPart() throws {
        var fixture = AttemptFixture(userNamespace: false)
        let tries = [
            "list /tmp/attempt-1", "read /tmp/attempt-1/mine", "list /tmp", "write /tmp/x",
            "mkdir $TMPDIR/x",
        ]
        func run() throws -> [String] {
            let outcome = try fixture.run(
                "@beside", "keep", tries[0], tries[1], tries[2], tries[3], tries[4])
            #expect(outcome.lines.contains("first lives"), "\(outcome)")
            return outcome.lines.filter { $0.hasPrefix("said ") && $0 != "said kept true" }
        }
        let closed = "said errno \(EACCES)"
        #expect(try run() == [closed, closed, closed, closed, "said ok"])
        // The control: without Landlock, one finds the other's.
        fixture.plan.landlockRules.append(LandlockRule(path: "/none", access: .read))
        fixture.plan.optionalLayers = [.landlock]
        #expect(try run().first == "said mine")
    }

    @Test func sharedProcShowsNoOtherProcessOfTheClass() throws {
        let outcome = try AttemptFixture(userNamespace: false).run(
            "@beside", "keep", "list /proc", "status")
        let seen = outcome.lines.first { $0.contains("meminfo") } ?? ""
        let numbers = seen.split(separator: " ").compactMap { Int($0) }
        #expect(outcome.lines.contains("first lives") && numbers.count == 1, "\(outcome)")
    }

    @Test func whatAnAttemptLeavesInASharedTemporaryDirectoryGoes() throws {
        let fixture = try GrantFixture(userNamespace: false, ["litter", "nothing"]) { _ in [] }
        let place = "/proc/\(fixture.worker.pid)/root/tmp"
        #expect(try fixture.next().said == "littered")
        #expect(try fixture.next().said == "nothing")
        let deadline = ContinuousClock.now + .seconds(10)
        while entries(of: place) != ["step"], ContinuousClock.now < deadline { sched_yield() }
        #expect(entries(of: place) == ["step"])
    }

    @Test func temporaryDirectoryIsBounded() throws {
        let path = "/tmp/aico-fill-\(getpid())"
        defer { unlink(path) }
        #expect(try AttemptFixture.outside("fill \(path)").hasSuffix("ok"))
        let outcome = try AttemptFixture().run("fill /tmp/x")
        #expect(outcome.said == "\(1 << 20) errno \(ENOSPC)", "\(outcome)")
    }

    @Test func procShowsTheAttemptOnly() throws {
        let host = try AttemptFixture.outside("list /proc").split(separator: " ")
        #expect(host.contains("sys") && host.contains("meminfo") && host.count > 20)
        let outcome = try AttemptFixture().run("list /proc", "write /proc/self/oom_score_adj")
        #expect(outcome.said == "1 self thread-self", "\(outcome)")
        #expect(!outcome.lines.contains("said ok"), "\(outcome)")
    }

    @Test func mountsAreClosedOff() throws {
        let outcome = try AttemptFixture().run("mounts", "mount", "cwd")
        let own = outcome.lines.filter { $0.contains(" /tmp ") || $0.contains(" /proc ") }
        #expect(own.count == 4, "the class's and the attempt's: \(outcome)")
        for line in own { #expect(line.contains("nosuid,nodev,noexec")) }
        #expect(!outcome.lines.contains { $0.contains("shared:") }, "\(outcome)")
        #expect(outcome.lines.contains("said errno \(EPERM)"), "\(outcome)")
        #expect(outcome.lines.contains("said /"), "\(outcome)")
    }

    // MARK: cgroup, rlimits, keyring

    @Test(arguments: [true, false]) func memoryLimitEndsTheAttemptAndIsRecorded(
        userNamespace: Bool
    ) throws {
        #expect(try AttemptFixture.outside("memory 128") == "touched 128 1")
        let outcome = try AttemptFixture(userNamespace: userNamespace)
            .run("memory 128", "memory 16")
        #expect(outcome.ended("status") == Int(SIGKILL), "\(outcome)")
        #expect((outcome.ended("oom") ?? 0) > 0, "\(outcome)")
        #expect((outcome.ended("peak") ?? 0) > 60 << 20, "\(outcome)")
        // The next attempt starts from zero.
        let last = Outcome(lines: Array(outcome.lines.drop { !$0.hasPrefix("ended") }.dropFirst()))
        #expect(last.said == "touched 16 1" && last.ended("oom") == 0, "\(outcome)")
        #expect(last.ended("peak").map { 16 << 20..<48 << 20 ~= $0 } == true, "\(outcome)")
    }

    @Test(arguments: [true, false]) func processLimitStopsForks(userNamespace: Bool) throws {
        #expect(try AttemptFixture.outside("forks 20") == "20 ok")
        let outcome = try AttemptFixture(userNamespace: userNamespace).run("forks 20")
        #expect(outcome.said == "7 errno \(EAGAIN)", "\(outcome)")
        #expect((outcome.ended("pids") ?? 0) > 0, "\(outcome)")
    }

    @Test func resourceLimitsAreThePlans() throws {
        var fixture = AttemptFixture()
        fixture.plan.mounts = fixture.plan.mounts.map { mount in
            var mount = mount
            if mount.kind == .temporary { mount.sizeBytes = 48 << 20 }
            return mount
        }
        let outcome = try fixture.run("limits", "fill /tmp/x", "core")
        #expect(outcome.said == "1/1 0/0 64/64 33554432/33554432", "\(outcome)")
        // A namespace's first process gets no SIGXFSZ, which nobody handles, but its error.
        #expect(outcome.lines.contains("said 33554432 errno \(EFBIG)"), "\(outcome)")
        // Nor SIGABRT: abort() ends it in SIGSEGV, without a core.
        #expect(outcome.lines.contains { $0.hasPrefix("ended status=\(SIGSEGV) ") }, "\(outcome)")
        #expect(try AttemptFixture.outside("limits") != outcome.said)
    }

    @Test(arguments: [true, false]) func keyringIsTheAttemptsOwn(userNamespace: Bool) throws {
        let added = "user".withCString { type in
            "aico-attempt-test".withCString { name in
                aico_system_call(
                    Int(SYS_add_key), Int(bitPattern: type), Int(bitPattern: name),
                    Int(bitPattern: name), 4, -3, 0)
            }
        }
        try #require(added > 0)
        defer { _ = aico_system_call(Int(SYS_keyctl), 3, added, 0, 0, 0, 0) }  // KEYCTL_REVOKE
        #expect(try AttemptFixture.outside("findkey aico-attempt-test") == "found")
        let outcome = try AttemptFixture(userNamespace: userNamespace)
            .run("findkey aico-attempt-test", "keyring", "keyring")
        #expect(outcome.said == "errno \(ENOKEY)", "\(outcome)")
        let serials = outcome.lines.compactMap { Int($0.dropFirst("said ".count)) }
        #expect(serials.count == 2 && Set(serials).count == 2, "\(outcome)")
    }

    // MARK: identity, capabilities, no_new_privs, death signal, descriptors

    @Test func processIsTheClasssUserWithoutPrivileges() throws {
        let host = Outcome(lines: ["said " + (try AttemptFixture.outside("status"))])
        #expect(host.said("Uid") == "0,0,0,0" && host.said("CapEff") != Self.none)
        #expect(host.said("NoNewPrivs") == "0" && host.said("Seccomp") == "0")
        let outcome = try AttemptFixture().run("ffffffffffffffff:status", "securebits", "setuid")
        #expect(outcome.said("Uid") == "61004,61004,61004,61004", "\(outcome)")
        #expect(outcome.said("Gid") == "61004,61004,61004,61004")
        #expect(outcome.said("Groups") == "")
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(outcome.said(set) == Self.none, "\(set)")
        }
        #expect(outcome.said("NoNewPrivs") == "1" && outcome.said("Seccomp") == "2")
        // NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, and all locks.
        #expect(outcome.lines.contains("said 239"), "\(outcome)")
        #expect(try AttemptFixture.outside("securebits") == "0")
        #expect(outcome.lines.contains { $0.hasPrefix("said errno") }, "\(outcome)")
    }

    @Test func capabilitiesAreThoseDeclaredOfThoseOfTheClass() throws {
        var fixture = AttemptFixture(userNamespace: false)
        fixture.plan.hostCapabilities = 1 << 2 | 1 << 0  // DAC_READ_SEARCH, CHOWN
        let outcome = try fixture.run("4:status", "ffffffffffffffff:status", "status")
        let said = outcome.lines.filter { $0.hasPrefix("said") }.map { Outcome(lines: [$0]) }
        try #require(said.count == 3, "\(outcome)")
        for (one, held) in zip(said, ["0000000000000004", "0000000000000005", Self.none]) {
            #expect(one.said("CapEff") == held && one.said("CapPrm") == held)
            for set in ["CapInh", "CapBnd", "CapAmb"] { #expect(one.said(set) == Self.none) }
        }
    }

    @Test func declaredCapabilityReachesWhatItIsFor() throws {
        var template = Array("/tmp/aico-secret-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { removeTree(directory) }
        try FakeCgroupMount.write("secret", to: "\(directory)/file")
        chmod("\(directory)/file", 0o600)
        chmod(directory, 0o755)
        var fixture = AttemptFixture(userNamespace: false)
        fixture.plan.hostCapabilities = 1 << 2
        fixture.plan.mounts.append(
            PlanMount(kind: .bindReadOnly, source: directory, target: "/secret"))
        fixture.plan.landlockRules.append(LandlockRule(path: "/secret", access: .read))
        let outcome = try fixture.run("4:read /secret/file", "read /secret/file")
        #expect(outcome.lines.filter { $0.hasPrefix("said") } == ["said ok", "said errno 13"])
    }

    @Test func deathSignalIsSet() throws {
        #expect(try AttemptFixture.outside("deathsignal") == "0")
        #expect(try AttemptFixture().run("deathsignal").said == "\(SIGKILL)")
    }

    @Test(arguments: [true, false]) func nothingIsOpenButTheTaskSocket(userNamespace: Bool) throws {
        // The control: the fork server that the attempt is a copy of has many more.
        let fixture = AttemptFixture(userNamespace: userNamespace)
        let control = try fixture.run("@control", "descriptors")
        #expect((control.said ?? "").split(separator: " ").count > 4, "\(control)")
        let outcome = try fixture.run("descriptors", "targets")
        #expect(outcome.said == "0 1 2 3", "\(outcome)")
        #expect(
            outcome.lines.contains { $0.hasPrefix("said /null /null /null socket:[") }
                || outcome.lines.contains {
                    $0.hasPrefix("said /dev/null /dev/null /dev/null socket:[")
                }, "\(outcome)")
    }

    /// Where Landlock may be missing and cannot bind, as by a filter around the class that knows no
    /// such call: its ruleset was made by then.
    @Test(arguments: [true, false]) func aRulesetThatCannotBindIsNotLeftOpen(
        userNamespace: Bool
    ) throws {
        var fixture = AttemptFixture(userNamespace: userNamespace)
        fixture.plan.optionalLayers = [.landlock]
        // The control: it binds where nothing is in its way.
        let bound = try fixture.run("descriptors")
        #expect(bound.confined?.hasSuffix("missing=") == true, "\(bound)")
        #expect(bound.said == "0 1 2 3", "\(bound)")
        for call in [446, 445] {  // landlock_restrict_self, landlock_add_rule
            fixture.plan.workerFilter = [
                FilterInstruction(code: 0x20, jumpTrue: 0, jumpFalse: 0, constant: 0),
                FilterInstruction(code: 0x15, jumpTrue: 0, jumpFalse: 1, constant: UInt32(call)),
                FilterInstruction(
                    code: 0x06, jumpTrue: 0, jumpFalse: 0, constant: 0x0005_0000 | UInt32(EPERM)),
                FilterInstruction(code: 0x06, jumpTrue: 0, jumpFalse: 0, constant: 0x7FFF_0000),
            ]
            let loose = try fixture.run("descriptors")
            #expect(loose.confined?.contains("missing=landlock/\(EPERM)/") == true, "\(loose)")
            #expect(loose.said == "0 1 2 3", "\(loose)")
        }
    }
}
