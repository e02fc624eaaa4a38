// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSystem
import Testing

@testable import LinuxSandbox

/// What a class whose fork server has gone bad can do with its part of the trees.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct CgroupTreeTests {
    @Test func classCannotNestCgroupsNorFillTheTree() throws {
        let fixture = try ClassFixture(plan: ClassFixture.plan())
        let parent = "\(fixture.tree.layout.unified)/\(fixture.tree.parentName)"
        let group = "\(parent)/\(fixture.cgroups.group)"
        // The control: nothing bounds it above the worker.
        #expect(mkdir("\(parent)/a", 0o755) == 0 && mkdir("\(parent)/a/b", 0o755) == 0)
        #expect(mkdir("\(group)/a", 0o755) == 0)
        #expect(mkdir("\(group)/a/b", 0o755) == -1 && errno == EAGAIN)
        var made = 0
        while made < 1000, mkdir("\(group)/n\(made)", 0o755) == 0 { made += 1 }
        #expect(made > 40 && made < 200 && errno == EAGAIN, "\(made)")
        for name in ["cgroup.max.depth", "cgroup.max.descendants"] {
            var status = stat()
            #expect(stat("\(group)/\(name)", &status) == 0 && status.st_uid == 0)
        }
    }

    /// Two workers of a class: one's end is not the other's, and the class's limits are both's.
    @Test func workersOfAClassShareItsLimitsAndNotTheirEnd() throws {
        var plan = ClassFixture.plan()
        plan.classLimits.processes = 6
        let fixture = try ClassFixture(plan: plan)
        let second = try fixture.tree.makeWorker("second", of: "fixture", plan: plan)
        func start(in group: WorkerCgroups, _ script: String) throws -> LaunchedProcess {
            var launch = Launch(
                path: "/bin/sh", arguments: ["-c", script], environment: [], userID: 61004,
                groupID: 61004)
            launch.entry = group.worker.entry
            return try launch.start()
        }
        let first = try start(in: fixture.cgroups, "sleep 1000 & sleep 1000 & sleep 1000 & wait")
        defer { first.end() }
        let four = try waitUntil { try fixture.cgroups.worker.processes().count == 4 }
        #expect(four)
        let other = try start(in: second, "sleep 1000 & sleep 1000 & wait")
        var status: Int32 = 0
        // Two fit: the shell and one of its own. The next fork ends it.
        #expect(waitpid(other.pid, &status, 0) == other.pid && status != 0, "\(status)")
        close(other.pidfd)
        try fixture.tree.kill(second.group)
        try fixture.tree.remove(second.group, patience: .seconds(5))
        #expect(try fixture.cgroups.worker.processes().count == 4)
        let again = try fixture.tree.makeWorker("second", of: "fixture", plan: plan)
        let third = try start(in: again, "exec sleep 1000")
        defer { third.end() }
        #expect(try again.worker.processes() == [third.pid])
    }

    private func waitUntil(_ isSo: () throws -> Bool) throws -> Bool {
        for _ in 0..<1000 {
            if try isSo() { return true }
            poll(nil, 0, 10)
        }
        return false
    }

    /// v1 has no limit of depth: what is nested there is removed with few descriptors, and what
    /// runs in it ended.
    @Test(.enabled(if: (try? CgroupLayout.discover().kind) == .hybrid, "needs v1 controllers"))
    func nestIsRemovedWithFewDescriptors() async {
        await #expect(processExitsWith: .success) {
            let fixture = try ClassFixture(plan: ClassFixture.plan())
            let layout = fixture.tree.layout
            let top = "\(layout.controllers[0].path)/\(fixture.tree.parentName)"
            var directory = open("\(top)/\(fixture.cgroups.group)", O_RDONLY | O_DIRECTORY)
            for _ in 0..<150 {
                guard mkdirat(directory, "n", 0o755) == 0 else { exit(2) }
                let next = openat(directory, "n", O_RDONLY | O_DIRECTORY)
                close(directory)
                directory = next
            }
            var sleeper = pid_t()
            let texts = CTexts()
            guard
                posix_spawn(
                    &sleeper, "/usr/bin/sleep", nil, nil, texts.vector(["sleep", "1000"]), nil) == 0
            else { exit(3) }
            let members = openat(directory, "cgroup.procs", O_WRONLY)
            guard "\(sleeper)".withCString({ write(members, $0, strlen($0)) }) > 0 else { exit(4) }
            close(members)
            close(directory)
            let most = Int(entries(of: "/proc/self/fd").compactMap { Int($0) }.max() ?? 0) + 12
            var limit = rlimit(rlim_cur: rlim_t(most), rlim_max: rlim_t(most))
            guard setrlimit(__rlimit_resource_t(7), &limit) == 0 else { exit(5) }
            try fixture.tree.remove()
            var status: Int32 = 0
            waitpid(sleeper, &status, 0)
            guard status == SIGKILL, access(top, F_OK) != 0 else { exit(6) }
        }
    }

    @Test func nestIsRemovedWithAllItsBranches() throws {
        let mount = try FakeCgroupMount.hybrid()
        var path = "\(mount.path)/memory/aico"
        mkdir(path, 0o755)
        try FakeCgroupMount.write("", to: "\(path)/cgroup.kill")
        for _ in 0..<300 {
            for name in ["a", "b", "n", "a/c", "a/d"] { mkdir("\(path)/\(name)", 0o755) }
            path += "/n"
        }
        #expect(mount.exists("memory/aico/n/n/n/a/c"))
        let parent = try CgroupDirectory.open(
            path: "\(mount.path)/memory", stand: standIn(files: ["cgroup.kill"]))
        try CgroupRemoval.remove("aico", in: parent)
        #expect(!mount.exists("memory/aico") && mount.exists("memory/cgroup.procs"))
    }

    /// What hangs in a call keeps its cgroup, as a file keeps this directory.
    @Test func whatStaysBusyIsGivenUpInTime() throws {
        let mount = try FakeCgroupMount.unified()
        mkdir("\(mount.path)/aico", 0o755)
        try FakeCgroupMount.write("", to: "\(mount.path)/aico/cgroup.kill")
        try FakeCgroupMount.write("", to: "\(mount.path)/aico/busy")
        let parent = try CgroupDirectory.open(path: mount.path)
        let began = Clock.monotonic
        let error = #expect(throws: CgroupError.self) {
            try CgroupRemoval.remove("aico", in: parent, patience: .milliseconds(200))
        }
        #expect(error?.errno == EBUSY)
        #expect(200..<20_000 ~= (Clock.monotonic - began).pollMilliseconds)
        #expect(mount.text("aico/cgroup.kill") == "1")
    }

    /// A class names what it makes in its part as it likes: 0xFF is in no UTF-8.
    @Test func whatIsNamedByNoTextIsRemovedToo() throws {
        let mount = try FakeCgroupMount.unified()
        let stand = standIn(files: ["cgroup.kill"])
        let parent = try CgroupDirectory.open(path: mount.path, stand: stand)
        func nest(below name: String) throws {
            let top = try parent.makeChild(name)
            #expect(mkdirat(top.descriptor, [-1, 0], 0o755) == 0)
            let odd = openat(top.descriptor, [-1, 0], O_RDONLY | O_DIRECTORY)
            defer { close(odd) }
            stand.populate(odd)
            #expect(mkdirat(odd, [-2, 0], 0o755) == 0 && mkdirat(odd, [0x61, 0], 0o755) == 0)
        }
        try nest(below: "aico")
        try CgroupRemoval.remove("aico", in: parent, patience: .zero)
        #expect(!mount.exists("aico"))
        try nest(below: "left")
        let left = try parent.child("left")
        try CgroupRemoval.empty(left)
        #expect(try mount.exists("left") && left.children().isEmpty)
    }
}
