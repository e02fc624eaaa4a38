// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox
import Testing

@testable import AicoSupervisor

/// What a plan may show to a class, in an instance under `/r`.
@Suite struct PlanMountTests {
    /// One mount and the classes that may have it.
    struct Shown: Sendable, CustomTestStringConvertible {
        var kind: PlanMount.Kind
        var source: String
        var target: String
        var classes: Set<TaskClass>

        var testDescription: String { "\(kind) \(source) at \(target)" }

        init(
            _ kind: PlanMount.Kind, _ source: String, at target: String = "/x",
            to classes: Set<TaskClass>
        ) {
            self.kind = kind
            self.source = source
            self.target = target
            self.classes = classes
        }
    }

    static let all = Set(TaskClass.allCases)
    static let state = "/r/var/lib/aico"

    static func ceiling(_ taskClass: TaskClass) -> PlanCeiling {
        PlanCeiling(
            root: "/r", executables: "/r/run/aico/bin", profiles: "/r/run/aico/sandbox-profiles",
            taskClass: taskClass)
    }

    static let system = [
        Shown(.bindReadOnly, "/usr", to: all),
        Shown(.bindReadOnly, "/etc/passwd", to: all),
        Shown(.bindReadOnly, "/etc/shadow", to: []),
        Shown(.bindReadOnly, "/etc/ssh/ssh_host_ed25519_key", to: []),
        Shown(.bindReadOnly, "/etc", to: []),
        Shown(.bindReadOnly, "/usrx", to: [.user]),
        Shown(.bindReadOnly, "/srv/photos", to: [.user]),
        Shown(.bindReadOnly, "/var/lib/other", to: [.user]),
        Shown(.bindReadOnly, "/proc", to: []),
        Shown(.bindReadOnly, "/sys/kernel", to: []),
        Shown(.bindReadOnly, "/run/docker.sock", to: []),
        Shown(.bindReadOnly, "/boot", to: []),
        Shown(.bindReadOnly, "/dev", to: []),
        Shown(.bindReadOnly, "/root/.ssh", to: []),
        Shown(.bindWritable, "/usr/local", to: []),
        Shown(.bindWritable, "/etc/cron.d", to: []),
        Shown(.bindWritable, "/lib", to: []),
        Shown(.bindWritable, "/dev/shm", to: []),
        Shown(.bindWritable, "/root", to: []),
        Shown(.bindWritable, "/srv/backup", to: [.user]),
        Shown(.bindWritable, "/home/me", to: [.user]),
    ]

    static let instance = [
        Shown(.bindReadOnly, "/r/run/aico/bin", to: all),
        Shown(.bindReadOnly, "/r/run/aico/bus", to: [.maintenance]),
        Shown(.bindReadOnly, "/r/run/aico/sandbox-profiles", to: [.security]),
        Shown(.bindReadOnly, "\(state)/keys", to: [.security]),
        Shown(.bindReadOnly, "\(state)/integrity", to: [.security]),
        Shown(.bindReadOnly, "\(state)/work", to: [.user]),
        Shown(.bindReadOnly, "\(state)/keys/master.key", to: []),
        Shown(.bindReadOnly, "/r/run/aico/worker/3", to: []),
        Shown(.bindReadOnly, "/r/run/aico/etc/user/passwd", to: [.user]),
        Shown(.bindReadOnly, "/r/run/aico/etc/agency/hosts", to: [.agency]),
        Shown(.bindReadOnly, "/r/run/aico/etc/user/shadow", to: []),
        Shown(.bindReadOnly, "/r/run/aico/etc", to: []),
        Shown(.bindWritable, "/r/run/aico/etc/user/passwd", to: []),
        Shown(.bindReadOnly, "/r/run/aico", to: []),
        Shown(.bindReadOnly, "/r", to: []),
        Shown(.bindWritable, "\(state)/store", to: [.maintenance]),
        Shown(.bindWritable, "/r/var/log/aico", to: [.maintenance]),
        Shown(.bindWritable, "\(state)/memory", to: [.agency]),
        Shown(.bindWritable, "\(state)/learning", to: [.agency]),
        Shown(.bindWritable, "\(state)/work", to: [.user]),
        Shown(.bindWritable, "\(state)/keys", to: []),
        Shown(.bindWritable, "/r/run/aico/bin", to: []),
        Shown(.bindWritable, "/r/run/aico/bus", to: []),
        Shown(.bindWritable, state, to: []),
        Shown(.bindWritable, "/r/var", to: []),
    ]

    static let devices =
        ["null", "zero", "full", "random", "urandom"].map {
            Shown(.device, "/dev/\($0)", at: "/dev/\($0)", to: all)
        } + [
            Shown(.device, "/dev/sda", at: "/dev/sda", to: []),
            Shown(.device, "/dev/mem", at: "/dev/mem", to: []),
            Shown(.device, "/dev/kvm", at: "/dev/null", to: []),
            Shown(.device, "/dev/null", at: "/etc/passwd", to: []),
        ]

    @Test(arguments: system + instance + devices) func isShownToTheseClassesOnly(shown: Shown) {
        for taskClass in TaskClass.allCases {
            var plan = CheckedPlanTests.plan(of: taskClass)
            plan.mounts = [
                PlanMount(kind: .proc, source: "", target: "/proc"),
                PlanMount(kind: shown.kind, source: shown.source, target: shown.target),
            ]
            let expected = "it shows '\(shown.source)' at '\(shown.target)'"
            let excess = Self.ceiling(taskClass).excess(of: plan)
            let isPermitted = shown.classes.contains(taskClass)
            #expect(excess == (isPermitted ? nil : expected), "\(taskClass)")
        }
    }

    /// What a link leads to is held against the same ceiling, whatever the profile names.
    @Test(arguments: system + instance) func isShownByALinkToTheSameClassesOnly(shown: Shown) {
        let named = shown.kind == .bindReadOnly ? "/usr/share/link" : "/srv/link"
        for taskClass in TaskClass.allCases {
            let mount = PlanMount(kind: shown.kind, source: named, target: shown.target)
            #expect(
                Self.ceiling(taskClass).permits(mount, at: shown.source)
                    == shown.classes.contains(taskClass), "\(taskClass)")
        }
    }

    @Test func whatHasNoSourceOnTheHostIsForEveryClass() {
        for taskClass in TaskClass.allCases {
            var plan = CheckedPlanTests.plan(of: taskClass)
            plan.mounts = [
                PlanMount(kind: .symlink, source: "usr/bin", target: "/bin"),
                PlanMount(kind: .directory, source: "", target: "/empty"),
                PlanMount(kind: .temporary, source: "", target: "/tmp", sizeBytes: 1 << 20),
                PlanMount(kind: .proc, source: "", target: "/proc"),
            ]
            #expect(Self.ceiling(taskClass).excess(of: plan) == nil)
        }
    }

    @Test func anInstalledSystemHasTheSameCeiling() {
        var plan = CheckedPlanTests.plan(of: .user)
        plan.mounts = [
            PlanMount(kind: .bindWritable, source: "/var/lib/aico/work", target: "/aico/work")
        ]
        let ceiling = CheckedPlanTests.ceiling(.user)
        #expect(ceiling.excess(of: plan) == nil)
        plan.mounts[0].source = "/var/lib/aico/keys"
        #expect(ceiling.excess(of: plan) != nil)
        plan.mounts[0].source = "/var"
        #expect(ceiling.excess(of: plan) != nil)
    }
}
