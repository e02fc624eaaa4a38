// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import Testing

@testable import LinuxSandbox

/// Each layer of a class on the real kernel, seen from the host; the test process itself, outside
/// of every sandbox, is the positive control.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct ClassLauncherTests {
    @Test(arguments: [false, true]) func workerIsConfinedAsTheHostSees(userNamespace: Bool) throws {
        var plan = ClassFixture.plan(userNamespace: userNamespace)
        if !userNamespace { plan.hostCapabilities = 1 << 2 }  // CAP_DAC_READ_SEARCH
        let fixture = try ClassFixture(plan: plan)
        let worker = try fixture.launchAtRest()
        let status = hostStatus(worker.pid)
        let own = hostStatus(getpid())
        #expect(own["Uid"] == "0 0 0 0" && own["NoNewPrivs"] == "0" && own["Seccomp"] == "0")
        #expect(status["Uid"] == "61004 61004 61004 61004")
        #expect(status["Gid"] == "61004 61004 61004 61004")
        #expect(status["Groups"] == "")
        #expect(status["NoNewPrivs"] == "1")
        #expect(status["Seccomp"] == "2")
        #expect(status["NSpid"]?.hasSuffix(" 1") == true)
        let kept = userNamespace ? "0000000000200100" : "0000000000000104"
        for set in ["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"] {
            #expect(status[set] == kept, "\(set)")
        }
        for name in ["pid", "mnt", "ipc", "uts", "net"] {
            let inside = linkTarget("/proc/\(worker.pid)/ns/\(name)")
            #expect(inside != nil && inside != linkTarget("/proc/self/ns/\(name)"), "\(name)")
        }
        let user = linkTarget("/proc/\(worker.pid)/ns/user")
        #expect((user != linkTarget("/proc/self/ns/user")) == userNamespace)
    }

    @Test func rootIsMinimalAndReadOnly() throws {
        // The control: the host has what the class root lacks, and root can write there.
        #expect(access("/etc/shadow", R_OK) == 0 && access("/usr", W_OK) == 0)
        let fixture = try ClassFixture(plan: ClassFixture.plan())
        let said = try fixture.shell(
            """
            echo root: $(ls /); cat /etc/shadow; touch /x; touch /usr/x; mkdir /tmp/made && echo tmp
            cp /usr/bin/true /tmp/true; chmod +x /tmp/true; /tmp/true || echo noexec
            ls /proc/1/fd | tr '\\n' ' '
            """)
        #expect(said.contains("root: bin dev lib lib64 proc tmp usr\n"), "\(said)")
        #expect(said.contains("/etc/shadow: No such file"), "\(said)")
        #expect(said.contains("'/x': Read-only file system"), "\(said)")
        #expect(said.contains("'/usr/x': Read-only file system"), "\(said)")
        #expect(said.contains("tmp\n") && said.contains("noexec"), "\(said)")
        #expect(access("/usr/x", F_OK) != 0)
    }

    @Test func workerInheritsThePlanAndTheCgroupsAndNothingElse() throws {
        // The control: a descriptor that the supervisor holds open without CLOEXEC.
        let leak = open("/etc/passwd", O_RDONLY)
        defer { close(leak) }
        let fixture = try ClassFixture(plan: ClassFixture.plan())
        let worker = try fixture.launchAtRest()
        var open: [Int: String] = [:]
        for number in 0..<1024 {
            open[number] = linkTarget("/proc/\(worker.pid)/fd/\(number)")
        }
        let expected = 7 + fixture.cgroups.descriptors.count
        #expect(open.keys.sorted() == Array(0..<expected), "\(open)")
        // The device of the old root: its path is gone with that root.
        #expect(open[0] == "/null")
        #expect(open[3]?.contains("memfd:plan") == true)
        #expect(!open.values.contains("/etc/passwd"))
    }

    @Test func classMountsDoNotReachTheHost() throws {
        let before = readFile("/proc/self/mountinfo")
        let fixture = try ClassFixture(plan: ClassFixture.plan(userNamespace: true))
        let worker = try fixture.launchAtRest()
        #expect(readFile("/proc/self/mountinfo") == before)
        let inside = try #require(readFile("/proc/\(worker.pid)/mountinfo"))
        #expect(inside.split(separator: "\n").count < 10, "\(inside)")
        #expect(!inside.contains("/ /old"))
    }

    @Test func userNamespaceGivesNoPowerOverTheHostsNamespaces() throws {
        let fixture = try ClassFixture(plan: ClassFixture.plan(userNamespace: true))
        let said = try fixture.shell(
            """
            mount -t tmpfs none /tmp && echo mounted
            hostname evil && echo named
            cat /proc/self/uid_map
            """)
        // Neither the class's mounts nor its host name are the user namespace's to change.
        #expect(!said.contains("mounted") && !said.contains("named"), "\(said)")
        let map = said.split(whereSeparator: { $0 == " " || $0 == "\n" }).suffix(3)
        #expect(map == ["61004", "61004", "1"], "\(said)")
    }

    /// The end of the pipe that exec closes says nothing of it: a filter, say, leaves no word.
    @Test func workerThatDiesBeforeItsProgramIsNotLaunched() throws {
        var plan = ClassFixture.plan()
        // Kills at whatever call comes next, which is execve.
        plan.workerFilter = [
            FilterInstruction(code: 6, jumpTrue: 0, jumpFalse: 0, constant: 0x8000_0000)
        ]
        let fixture = try ClassFixture(plan: plan)
        let refusal = #expect(throws: LaunchError.self) { try fixture.launch("/usr/bin/true") }
        #expect(refusal?.errno == EIO && refusal?.detail == "/usr/bin/true")
        #expect(fixture.processCount() == 0)
        // The control: one that ends at once was launched.
        let other = try ClassFixture(plan: ClassFixture.plan())
        for _ in 0..<20 {
            let launched = try other.launch("/usr/bin/true")
            var status: Int32 = 0
            waitpid(launched.pid, &status, 0)
            #expect(status == 0)
            close(launched.pidfd)
        }
        other.forget()
    }

    @Test func filterOfThePlanIsInForce() throws {
        // ld [nr]; jeq mkdir -> EACCES; allow
        let denying = [
            FilterInstruction(code: 0x20, jumpTrue: 0, jumpFalse: 0, constant: 0),
            FilterInstruction(code: 0x15, jumpTrue: 0, jumpFalse: 1, constant: 83),
            FilterInstruction(code: 0x06, jumpTrue: 0, jumpFalse: 0, constant: 0x0005_000D),
            FilterInstruction(code: 0x06, jumpTrue: 0, jumpFalse: 0, constant: 0x7FFF_0000),
        ]
        var plan = ClassFixture.plan()
        let free = try ClassFixture(plan: plan).shell("mkdir /tmp/a && echo made")
        #expect(free.contains("made"))
        plan.workerFilter = denying
        let held = try ClassFixture(plan: plan).shell("mkdir /tmp/a && echo made")
        #expect(held.contains("Permission denied") && !held.contains("made"), "\(held)")
    }

    @Test func refusedMountIsNamedAndLeavesNoProcess() throws {
        var plan = ClassFixture.plan()
        plan.mounts.append(PlanMount(kind: .bindReadOnly, source: "/dev/null", target: "/place"))
        let fixture = try ClassFixture(plan: plan)
        let error = #expect(throws: LaunchError.self) { try fixture.launch("/usr/bin/true") }
        #expect(error?.layer == .mounts && error?.errno == EINVAL)
        #expect(error?.detail == "/dev/null")
        // What is missing is the attempts' matter.
        fixture.plan.mounts[fixture.plan.mounts.count - 1].source = "/no/such/place"
        try fixture.launch("/usr/bin/true")
    }

    @Test func writableSourceBehindALinkIsRefused() throws {
        var template = Array("/tmp/aico-link-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { removeTree(made) }
        mkdir("\(made)/real", 0o777)
        symlink("\(made)/real", "\(made)/link")
        var plan = ClassFixture.plan()
        plan.mounts.append(
            PlanMount(kind: .bindWritable, source: "\(made)/real", target: "/aico/work"))
        try ClassFixture(plan: plan).launch("/usr/bin/true")
        plan.mounts[plan.mounts.count - 1].source = "\(made)/link"
        let fixture = try ClassFixture(plan: plan)
        let error = #expect(throws: LaunchError.self) { try fixture.launch("/usr/bin/true") }
        #expect(error?.layer == .mounts && error?.errno == ELOOP)
    }

    @Test(.enabled(if: SilentFileSystem.isPossible, "needs /dev/fuse"))
    func launchThatHangsIsEndedInItsTime() throws {
        let directory = try #require(makeTemporaryDirectory())
        defer { removeTree(directory) }
        let silent = try SilentFileSystem(on: directory)
        #expect(silent.hangsOutside())
        var plan = ClassFixture.plan()
        plan.mounts.append(
            PlanMount(kind: .bindReadOnly, source: directory, target: "/aico/silent"))
        let fixture = try ClassFixture(plan: plan)
        let begin = ContinuousClock.now
        let error = #expect(throws: LaunchError.self) {
            try fixture.launch("/usr/bin/true", patience: .milliseconds(300))
        }
        #expect(error?.errno == ETIMEDOUT, "\(String(describing: error))")
        #expect(error?.left == nil && fixture.settledProcessCount(0) == 0)
        #expect(ContinuousClock.now - begin < .seconds(5))
    }

    @Test func missingExecutableIsNamed() throws {
        let fixture = try ClassFixture(plan: ClassFixture.plan())
        let error = #expect(throws: LaunchError.self) { try fixture.launch("/usr/bin/nothing") }
        #expect(error?.detail == "/usr/bin/nothing" && error?.errno == ENOENT)
    }

    @Test func workerLivesInItsClassCgroup() throws {
        let fixture = try ClassFixture(plan: ClassFixture.plan())
        let worker = try fixture.launchAtRest()
        let groups = try #require(readFile("/proc/\(worker.pid)/cgroup"))
        let ours = groups.split(separator: "\n").filter {
            $0.contains("\(fixture.tree.parentName)/class-fixture/worker/")
        }
        #expect(ours.count == fixture.tree.layout.trees.count, "\(groups)")
    }
}
