// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
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
