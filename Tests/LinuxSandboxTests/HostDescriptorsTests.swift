// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import Testing

@testable import LinuxSandbox

/// Descriptors of the host's that a class's processes hold, planted as an error of the launch would.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct HostDescriptorsTests {
    @Test(arguments: [false, true]) func aLaunchLeavesNone(userNamespace: Bool) throws {
        let fixture = try ClassFixture(plan: ClassFixture.plan(userNamespace: userNamespace))
        let worker = try fixture.launchAtRest()
        for isInExec in [false, true] {
            let found = try HostDescriptors.find(
                in: worker.pid, sparing: fixture.cgroups.descriptors, isInExec: isInExec)
            #expect(found == [])
        }
        // The control: a process of the host's has what it opened.
        let file = open("/etc/passwd", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        #expect(
            try HostDescriptors.find(in: getpid()).contains {
                $0.number == file && $0.path == "/etc/passwd"
            })
    }

    /// The host's root directory: openat(2) by it leaves the class root, as the worker shows.
    @Test(arguments: ["/", "/etc"]) func whatALaunchLeakedIsFound(path: String) throws {
        let fixture = try ClassFixture(plan: ClassFixture.plan(userNamespace: true))
        let planted = CgroupDirectory(
            owning: open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), label: path)
        let number =
            InheritedCgroups.firstDescriptor + Int32(fixture.cgroups.descriptors.count) - 1
        let worker = try fixture.launchAtRest(planting: planted)
        let holders = try fixture.cgroups.worker.processes()
        #expect(holders.count == 2 && holders.contains(worker.pid), "worker and its other half")
        for process in holders {
            let found = try HostDescriptors.find(
                in: process, sparing: fixture.cgroups.descriptors, isInExec: true)
            #expect(found == [HostDescriptors.Finding(number: number, path: path)])
        }
    }

    /// One of them could be hidden behind the others.
    @Test func moreDescriptorsThanAreLookedAtAreToldAndNotTakenForNone() async {
        await #expect(processExitsWith: .exitCode(9)) {
            var limit = rlimit(rlim_cur: 5000, rlim_max: 5000)
            guard setrlimit(__rlimit_resource_t(7), &limit) == 0 else { exit(1) }
            for _ in 0..<4100 where fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100) < 0 { exit(2) }
            do throws(SystemError) {
                _ = try HostDescriptors.find(in: getpid(), isInExec: true)
            } catch {
                exit(error.reason == "it has more than 4096 names" ? 9 : 3)
            }
        }
    }

    @Test func aProcessThatHasEndedHasNone() throws {
        let fixture = try ClassFixture(plan: ClassFixture.plan())
        let launched = try fixture.launch("/usr/bin/true")
        var status: Int32 = 0
        waitpid(launched.pid, &status, 0)
        #expect(try HostDescriptors.find(in: launched.pid) == [])
        close(launched.pidfd)
        fixture.forget()
    }
}

/// The list of mounts, which a machine's containers make as long as they like.
@Suite struct HostMountsTests {
    @Test func aLongListIsReadToItsEnd() throws {
        let mount = try FakeCgroupMount.unified()
        let file = "\(mount.path)/mountinfo"
        let line = " 22 0:5 / /\(String(repeating: "x", count: 4000)) rw - proc proc rw\n"
        try FakeCgroupMount.write(
            (1...4400).map { "\($0)\(line)" }.joined(), to: file)
        let numbers = try HostDescriptors.Mounts(files: [file]).numbers
        #expect(numbers == Set((1...4400).map { Array("\($0)".utf8) }))
    }

    @Test func aListThatCannotBeReadIsTold() throws {
        let mount = try FakeCgroupMount.unified()
        #expect(throws: SystemError.self) {
            try HostDescriptors.Mounts(files: ["/proc/self/mountinfo", "\(mount.path)/none"])
        }
        let own = try HostDescriptors.Mounts(files: ["/proc/self/mountinfo"])
        #expect(!own.numbers.isEmpty)
    }
}
