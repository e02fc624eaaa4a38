// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import Testing

@testable import LinuxSandbox

/// Landlock and seccomp of an attempt, and what happens where a layer does not hold.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct AttemptFilterTests {
    private static let landlock = aico_landlock_abi()

    @Test(arguments: [true, false]) func landlockGrantsPathsOfThePlanOnly(
        userNamespace: Bool
    ) throws {
        var fixture = AttemptFixture(userNamespace: userNamespace)
        let program = "read /aico/bin/sandbox-fixture"
        let outcome = try fixture.run(program, "write $TMPDIR/x", "write /usr/x")
        #expect(outcome.said == "errno \(EACCES)", "\(outcome)")
        #expect(outcome.lines.contains("said ok") && !outcome.lines.contains("said errno 2"))
        // The control: the same file with a rule for it.
        fixture.plan.landlockRules.append(LandlockRule(path: "/aico/bin", access: .read))
        #expect(try fixture.run(program).said == "ok")
    }

    @Test(.enabled(if: landlock >= 6, "needs Landlock ABI 6"))
    func landlockKeepsSignalsAndAbstractSocketsInside() throws {
        let fixture = AttemptFixture(userNamespace: false)
        // The control: the worker, in the same namespaces, outside of the Landlock domain.
        let control = try fixture.run("@control", "abstract aico-fixture", "signal 1")
        #expect(control.lines.filter { $0 == "said ok" }.count == 2, "\(control)")
        let outcome = try fixture.run("abstract aico-fixture", "signal 1")
        #expect(
            outcome.lines.filter { $0 == "said errno \(EPERM)" }.count == 2, "\(outcome)")
    }

    @Test(.enabled(if: landlock >= 4, "needs Landlock ABI 4"))
    func landlockRefusesTCP() throws {
        // The control: without Landlock it is the empty network namespace that answers.
        let control = try AttemptFixture().run("@control", "tcp 22")
        #expect(control.said == "errno \(ENETUNREACH)", "\(control)")
        #expect(try AttemptFixture().run("tcp 22").said == "errno \(EACCES)")
    }

    @Test(arguments: [true, false]) func deniedCallIsReportedWithArgumentsAndEndsTheAttempt(
        userNamespace: Bool
    ) throws {
        let free = try AttemptFixture(userNamespace: userNamespace).run("mkdir $TMPDIR/x")
        #expect(free.said == "ok" && free.denied == nil, "\(free)")
        let number = Int(SYS_mkdir)
        let outcome = try AttemptFixture(userNamespace: userNamespace, denying: [number])
            .run("mkdir $TMPDIR/x", "nothing")
        #expect(outcome.denied?.hasPrefix("mkdir \(number) [") == true, "\(outcome)")
        #expect(outcome.denied?.contains(", 448, ") == true, "its mode, 0o700: \(outcome)")
        #expect(outcome.ended("status") == Int(SIGKILL))
        // The next attempt is not harmed.
        #expect(outcome.said == "nothing")
    }

    @Test func argumentsOfADeniedCallAreWhole() throws {
        let fixture = AttemptFixture(denying: [Int(SYS_ptrace)])
        let outcome = try fixture.run("call \(SYS_ptrace) 16 17 -1 19 20 4294967296")
        #expect(
            outcome.denied
                == "ptrace \(SYS_ptrace) [16, 17, 18446744073709551615, 19, 20, 4294967296]",
            "\(outcome)")
    }

    @Test func deniedCallOfSetupItselfIsReported() throws {
        let outcome = try AttemptFixture(denying: [Int(SYS_close)]).run("nothing")
        #expect(outcome.denied?.hasPrefix("close ") == true && outcome.said == nil, "\(outcome)")
    }

    @Test func filterThatForbidsTheWayOutIsRefusedInTime() throws {
        let outcome = try AttemptFixture(denying: [Int(SYS_sendmsg)]).run("nothing")
        #expect(
            outcome.refused == "seccomp \(ETIMEDOUT) set-up took too long", "\(outcome)")
        #expect(outcome.ended("status") == Int(SIGKILL) && outcome.said == nil)
    }

    // MARK: a layer that does not hold

    @Test(arguments: [true, false]) func layerThatFailsRefusesTheAttempt(
        userNamespace: Bool
    ) throws {
        var fixture = AttemptFixture(userNamespace: userNamespace)
        fixture.plan.landlockRules.append(LandlockRule(path: "/none", access: .read))
        let outcome = try fixture.run("nothing")
        #expect(outcome.refused == "landlock \(ENOENT) open '/none' for Landlock", "\(outcome)")
        #expect(outcome.said == nil && outcome.confined == nil)
        #expect(outcome.ended("status") == 127 << 8)
    }

    @Test func optionalLayerThatFailsIsRecordedAsMissing() throws {
        var fixture = AttemptFixture()
        fixture.plan.landlockRules.append(LandlockRule(path: "/none", access: .read))
        fixture.plan.optionalLayers = [.landlock]
        let outcome = try fixture.run("nothing", "read /aico/bin/sandbox-fixture")
        #expect(
            outcome.confined?.hasSuffix(
                "missing=landlock/\(ENOENT)/open '/none' for Landlock") == true, "\(outcome)")
        #expect(outcome.confined?.contains("landlock,seccomp") == false)
        #expect(outcome.said == "nothing")
        // What is not held does not hold: the record is true.
        #expect(outcome.lines.contains("said ok"), "\(outcome)")
    }

    @Test func filterThatTheKernelRefusesIsNamed() throws {
        var fixture = AttemptFixture()
        // A jump past the end.
        fixture.plan.taskFilter = [
            FilterInstruction(code: 0x05, jumpTrue: 0, jumpFalse: 0, constant: 9),
            FilterInstruction(code: 0x06, jumpTrue: 0, jumpFalse: 0, constant: 0x7FFF_0000),
        ]
        let outcome = try fixture.run("nothing")
        #expect(
            outcome.refused == "seccomp \(EINVAL) install the filter with a notifier",
            "\(outcome)")
        fixture.plan.optionalLayers = [.seccomp]
        let without = try fixture.run("nothing", "status")
        #expect(without.confined?.contains("missing=seccomp/\(EINVAL)") == true, "\(without)")
        #expect(without.said == "nothing")
    }

    @Test func mountThatTheKernelRefusesIsNamed() throws {
        var fixture = AttemptFixture()
        // Put over a directory by the launch, over nothing by the attempt: it is hidden there.
        fixture.plan.mounts.append(
            PlanMount(kind: .temporary, source: "", target: "/tmp/inner", sizeBytes: 1 << 20))
        let outcome = try fixture.run("nothing")
        #expect(outcome.refused == "mounts \(ENOENT) mount '/tmp/inner'", "\(outcome)")
    }
}
