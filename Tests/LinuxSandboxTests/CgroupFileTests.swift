// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import LinuxSandbox

@Suite("Cgroups on a temporary directory")
struct CgroupFileTests {
    @Test func unifiedMountIsFound() throws {
        let mount = try FakeCgroupMount.unified()
        let layout = try CgroupLayout.discover(root: mount.path)
        #expect(layout.kind == .unified && layout.trees == [mount.path])
    }

    @Test func hybridMountIsFoundWithItsTreesInOrder() throws {
        let mount = try FakeCgroupMount.hybrid()
        let layout = try CgroupLayout.discover(root: mount.path)
        #expect(layout.kind == .hybrid)
        #expect(layout.trees == ["unified", "memory", "pids", "cpu"].map { "\(mount.path)/\($0)" })
    }

    @Test func aTreeThatNoAttemptNeedsIsTakenWhereItIs() throws {
        let mount = try FakeCgroupMount.hybrid(weighsIO: true)
        let layout = try CgroupLayout.discover(root: mount.path)
        #expect(
            layout.trees
                == ["unified", "memory", "pids", "cpu", "blkio"].map { "\(mount.path)/\($0)" })
    }

    @Test(arguments: ["", "cpu io", "memory", "pids cpu", "memory.pids"])
    func unifiedMountWithoutMemoryAndPidsIsRefused(controllers: String) throws {
        let mount = try FakeCgroupMount.unified(controllers: controllers)
        #expect(throws: CgroupError.self) { try CgroupLayout.discover(root: mount.path) }
    }

    @Test(arguments: ["unified", "memory", "pids", "cpu"])
    func hybridMountWithoutATreeIsRefused(missing: String) throws {
        let mount = try FakeCgroupMount.hybrid()
        removeTree("\(mount.path)/\(missing)")
        #expect(throws: CgroupError.self) { try CgroupLayout.discover(root: mount.path) }
    }

    @Test func parentNameTellsInstancesApart() {
        // FNV-1a of 128 bits over one zero byte, as another implementation has it.
        #expect(
            CgroupTree.parentName(root: "", instance: "")
                == "aico-d228cb69101a8caf78912b704e4a147f")
        let names = [
            ("/tmp/a", "1"), ("/tmp/b", "1"), ("/tmp/a", "2"), ("", "1"), ("", "2"),
            ("/tmp/a1", ""),
            // These two have the same 32 bits of FNV-1a.
            ("costarring", ""), ("liquid", ""),
        ].map { CgroupTree.parentName(root: $0.0, instance: $0.1) }
        #expect(Set(names).count == names.count)
    }

    @Test func parentOfALivingInstanceIsNotTaken() throws {
        let mount = try FakeCgroupMount.hybrid()
        let layout = try CgroupLayout.discover(root: mount.path)
        func tree() throws -> CgroupTree {
            try CgroupTree(
                layout: layout, parentName: "aico-x", stand: standIn(files: hybridFiles))
        }
        let living = try tree()
        try living.create()
        _ = try living.makeLeaf("scheduler", limits: PlanLimits())
        let other = try tree()
        let refusal = try #require(throws: CgroupError.self) { try other.create() }
        #expect(refusal.operation == "take" && refusal.errno == EBUSY)
        try other.remove()
        #expect(mount.exists("unified/aico-x/scheduler") && mount.exists("memory/aico-x/scheduler"))
        try living.remove()
        #expect(!mount.exists("unified/aico-x") && !mount.exists("memory/aico-x"))
        try other.create()
        try other.remove()
    }

    @Test func leftoversOfADeadInstanceAreRemoved() throws {
        let mount = try FakeCgroupMount.hybrid()
        let layout = try CgroupLayout.discover(root: mount.path)
        for name in ["aico-x", "aico-y"] {
            let dead = try CgroupTree(
                layout: layout, parentName: name, stand: standIn(files: hybridFiles))
            try dead.create()
            _ = try dead.makeLeaf("scheduler", limits: PlanLimits())
        }
        let next = try CgroupTree(
            layout: layout, parentName: "aico-x", stand: standIn(files: hybridFiles))
        try next.create()
        for tree in ["unified", "memory", "pids", "cpu"] {
            #expect(mount.exists("\(tree)/aico-x") && !mount.exists("\(tree)/aico-x/scheduler"))
            #expect(mount.exists("\(tree)/aico-y/scheduler"), "another's")
        }
    }

    /// What has the number of a process that was a member once.
    @Test func processThatIsNoMemberAnyMoreIsNotKilled() throws {
        // The thread of a test blocks TERM, and what it starts would too.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        for isMember in [false, true] {
            var sleeper = pid_t()
            let texts = CTexts()
            let words = texts.vector(["sleep", "1000"])
            try #require(
                posix_spawn(&sleeper, "/usr/bin/sleep", nil, &attributes, words, nil) == 0)
            try CgroupRemoval.kill(sleeper) { isMember }
            if !isMember {
                #expect(kill(sleeper, 0) == 0)
                kill(sleeper, SIGTERM)
            }
            var status: Int32 = 0
            waitpid(sleeper, &status, 0)
            #expect(status == (isMember ? SIGKILL : SIGTERM))
        }
    }

    @Test func unifiedLimitsAreWritten() throws {
        let mount = try FakeCgroupMount.unified()
        let stand = standIn(files: unifiedFiles)
        let group = try CgroupDirectory.open(path: mount.path, stand: stand)
        let plan = cgroupPlan(memory: 268_435_456, processes: 16, cpu: 150)
        let backend = try InheritedCgroups.backend(groups: [group], plan: plan)
        #expect(backend.kind == .unified)
        let leaf = try backend.prepareLeaf(slot: 3)
        #expect(mount.text("s3.1/memory.max") == "268435456")
        #expect(mount.text("s3.1/memory.swap.max") == "0")
        #expect(mount.text("s3.1/memory.oom.group") == "1")
        #expect(mount.text("s3.1/pids.max") == "16")
        #expect(mount.text("s3.1/cpu.max") == "150000 100000")
        #expect(leaf.entry.joinDescriptors.isEmpty)
        #expect(leaf.outOfMemoryEvent == nil)
    }

    @Test func limitsOfZeroLeaveTheDefaults() throws {
        let mount = try FakeCgroupMount.unified()
        let group = try CgroupDirectory.open(path: mount.path, stand: standIn(files: unifiedFiles))
        let backend = try InheritedCgroups.backend(groups: [group], plan: cgroupPlan())
        _ = try backend.prepareLeaf(slot: 0)
        for file in ["memory.max", "memory.swap.max", "pids.max", "cpu.max"] {
            #expect(mount.text("s0.1/\(file)") == "")
        }
    }

    @Test(arguments: ["memory.max", "pids.max", "cpu.max"])
    func aLimitThatCannotBeSetRefusesTheLeafAndLeavesNothing(file: String) throws {
        let mount = try FakeCgroupMount.unified()
        let stand = standIn(files: unifiedFiles.filter { $0 != file })
        let group = try CgroupDirectory.open(path: mount.path, stand: stand)
        let plan = cgroupPlan(memory: 1 << 20, processes: 4, cpu: 50)
        let backend = try InheritedCgroups.backend(groups: [group], plan: plan)
        let error = #expect(throws: CgroupError.self) { try backend.prepareLeaf(slot: 0) }
        #expect(error?.errno == ENOENT)
        #expect(error?.subject.hasSuffix(file) == true)
        #expect(!mount.exists("s0.1"))
    }

    @Test func unifiedUsageIsReadAndAReleasedLeafIsReplaced() throws {
        let mount = try FakeCgroupMount.unified()
        let group = try CgroupDirectory.open(path: mount.path, stand: standIn(files: unifiedFiles))
        let backend = try InheritedCgroups.backend(groups: [group], plan: cgroupPlan())
        let leaf = try backend.prepareLeaf(slot: 0)
        let base = "\(mount.path)/s0.1"
        try FakeCgroupMount.write("4096\n", to: "\(base)/memory.peak")
        try FakeCgroupMount.write("7\n", to: "\(base)/pids.peak")
        try FakeCgroupMount.write("low 0\noom 2\noom_kill 1\n", to: "\(base)/memory.events")
        try FakeCgroupMount.write("max 5\n", to: "\(base)/pids.events")
        try FakeCgroupMount.write(
            "usage_usec 30\nuser_usec 20\nsystem_usec 10\n", to: "\(base)/cpu.stat")
        let usage = try leaf.usage()
        #expect(usage.peakMemoryBytes == 4096)
        #expect(usage.peakProcesses == 7)
        #expect(usage.outOfMemoryKills == 1)
        #expect(usage.processLimitHits == 5)
        #expect(usage.userMicroseconds == 20)
        #expect(usage.systemMicroseconds == 10)
        leaf.release()
        #expect(!mount.exists("s0.1"))
        #expect(!backend.sweep())
        #expect(mount.exists("s0.2"))
        _ = try backend.prepareLeaf(slot: 0)
        #expect(!mount.exists("s0.3"))
    }

    /// The kernel counts the process chosen for a group kill twice, unless it is gone by then.
    @Test(arguments: [
        ("oom_kill 0\noom_group_kill 0\n", 0), ("oom_kill 2\noom_group_kill 1\n", 1),
        ("oom_kill 4\noom_group_kill 1\n", 3), ("oom_kill 1\noom_group_kill 1\n", 1),
        ("oom_kill 0\noom_group_kill 1\n", 0), ("oom_kill 1\n", 1),
    ]) func unifiedMemoryKillsAreCountedOnce(events: String, kills: UInt64) throws {
        let mount = try FakeCgroupMount.unified()
        let group = try CgroupDirectory.open(path: mount.path, stand: standIn(files: unifiedFiles))
        let backend = try InheritedCgroups.backend(groups: [group], plan: cgroupPlan())
        let leaf = try backend.prepareLeaf(slot: 0)
        try FakeCgroupMount.write(events, to: "\(mount.path)/s0.1/memory.events")
        #expect(try leaf.memoryKills() == kills)
        #expect(try leaf.usage().outOfMemoryKills == kills)
    }

    @Test func hybridLimitsAreWrittenAndCpuStaysBelowTheClass() throws {
        let mount = try FakeCgroupMount.hybrid()
        var plan = cgroupPlan(memory: 1 << 20, processes: 16, cpu: 150)
        plan.classLimits.cpuPercent = 100
        let backend = try hybridBackend(mount, plan: plan)
        #expect(backend.kind == .hybrid)
        let leaf = try backend.prepareLeaf(slot: 1)
        #expect(mount.text("memory/s1.1/memory.limit_in_bytes") == "1048576")
        #expect(mount.text("memory/s1.1/memory.memsw.limit_in_bytes") == "1048576")
        #expect(mount.text("pids/s1.1/pids.max") == "16")
        #expect(mount.text("cpu/s1.1/cpu.cfs_quota_us") == "100000")
        #expect(leaf.entry.joinDescriptors.count == 3)
        #expect(leaf.outOfMemoryEvent != nil)
    }

    @Test func hybridLeafIsUsedAgainWithDifferencesOfItsCounters() throws {
        let mount = try FakeCgroupMount.hybrid()
        let backend = try hybridBackend(mount, plan: cgroupPlan(processes: 4))
        let first = try backend.prepareLeaf(slot: 0)
        try FakeCgroupMount.write(
            "user_usec 20\nsystem_usec 10\n", to: "\(mount.path)/unified/s0.1/cpu.stat")
        try FakeCgroupMount.write(
            "oom_kill_disable 0\noom_kill 3\n", to: "\(mount.path)/memory/s0.1/memory.oom_control")
        let used = try first.usage()
        #expect(used.userMicroseconds == 20)
        #expect(used.outOfMemoryKills == 3)
        first.release()
        #expect(!backend.sweep())
        let second = try backend.prepareLeaf(slot: 0)
        #expect(mount.exists("memory/s0.1"))
        #expect(!mount.exists("pids/s0.1"), "the pids leaf is renewed: its peak has no reset")
        let rest = try second.usage()
        #expect(rest.userMicroseconds == 0)
        #expect(rest.systemMicroseconds == 0)
        #expect(rest.outOfMemoryKills == 0)
    }

    @Test(arguments: [(3 << 20, true), (5 << 20, false)])
    func leafThatWouldTakeLongToEmptyIsReplaced(left: Int, isKept: Bool) throws {
        let mount = try FakeCgroupMount.hybrid()
        let backend = try hybridBackend(mount, plan: cgroupPlan(processes: 4))
        let first = try backend.prepareLeaf(slot: 0)
        let leaf = "\(mount.path)/memory/s0.1"
        try FakeCgroupMount.write("\(left)\n", to: "\(leaf)/memory.usage_in_bytes")
        first.release()
        #expect(!backend.sweep())
        _ = try backend.prepareLeaf(slot: 0)
        #expect(mount.exists("memory/s0.1") == isKept)
        if isKept { #expect(mount.text("memory/s0.1/memory.force_empty") == "0") }
    }

    @Test func anInterruptedWriteIsMadeAgainAndAnotherIsTold() throws {
        let mount = try FakeCgroupMount.unified()
        let group = try CgroupDirectory.open(path: mount.path)
        let again = try ForcedErrno.run([.write: [.interrupted]]) {
            try group.write("+io", to: "cgroup.subtree_control")
        }
        #expect(again.isUsedUp && mount.text("cgroup.subtree_control") == "+io")
        let full = ForcedErrno.run([.write: [.noSpace]]) {
            #expect(
                throws: CgroupError(
                    operation: "write '+io' to", subject: "\(mount.path)/cgroup.subtree_control",
                    errno: ENOSPC)
            ) { try group.write("+io", to: "cgroup.subtree_control") }
        }
        #expect(full.isUsedUp)
    }

    /// One that cannot be read to its end is not taken for a shorter one.
    @Test func aTreeThatCannotBeListedIsNotTakenForAnEmptyOne() throws {
        let mount = try FakeCgroupMount.unified()
        let group = try CgroupDirectory.open(path: mount.path)
        #expect(mkdir("\(mount.path)/a", 0o755) == 0 && mkdir("\(mount.path)/b", 0o755) == 0)
        #expect(try group.children().map(\.name) == ["a", "b"])
        let run = ForcedErrno.run([.getdents: [nil, nil, nil, .ioError]]) {
            #expect(throws: CgroupError.self) { try group.children() }
        }
        #expect(run.isUsedUp)
    }

    @Test func descriptorsThatAreNoCgroupsAreRefused() {
        #expect(
            throws: CgroupError(
                operation: "use inherited descriptors", subject: "0", errno: EBADF)
        ) {
            try InheritedCgroups.backend(first: 900, plan: Plan())
        }
    }

    private func hybridBackend(
        _ mount: FakeCgroupMount, plan: Plan
    ) throws -> any CgroupBackend {
        let stand = standIn(files: hybridFiles)
        var groups: [CgroupDirectory] = []
        for tree in ["unified", "memory", "pids", "cpu"] {
            groups.append(try .open(path: "\(mount.path)/\(tree)", stand: stand))
        }
        return try InheritedCgroups.backend(groups: groups, plan: plan)
    }
}

@Suite("Control file texts")
struct ControlTextTests {
    @Test(
        arguments: [
            ("0\n", 0), ("18446744073709551615\n", UInt64.max), ("12", 12),
            ("max\n", nil), ("", nil), ("18446744073709551616", nil), ("-1", nil), ("1 2", nil),
        ] as [(String, UInt64?)])
    func oneNumber(text: String, expected: UInt64?) {
        #expect(ControlText(bytes: Array(text.utf8)).number == expected)
    }

    @Test func keysMatchWhole() {
        let text = ControlText(bytes: Array("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n".utf8))
        #expect(text.value(of: "oom_kill") == 4)
        #expect(text.value(of: "oom") == nil)
        #expect(text.contains(word: "under_oom"))
        #expect(!text.contains(word: "under"))
    }
}
