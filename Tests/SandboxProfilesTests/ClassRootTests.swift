// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// What a class root has beside what its profile names.
@Suite struct ClassRootTests {
    private func mount(_ target: String, of plan: Plan) throws -> PlanMount {
        try #require(plan.mounts.first { $0.target == target }, "\(target)")
    }

    @Test(arguments: TaskClass.allCases) func theZoneIsALink(taskClass: TaskClass) throws {
        let plan = try Shipped.plan(taskClass)
        let link = try mount("/etc/localtime", of: plan)
        #expect(link.kind == .symlink && link.source == "/usr/share/zoneinfo/Europe/Berlin")
        #expect(!plan.landlockRules.contains { $0.path == "/etc/localtime" })
        // A host whose zone has no name has a file there.
        let unnamed = try ProfileCompiler.plan(
            of: try Shipped.profile(taskClass), paths: Shipped.paths,
            identities: Shipped.identities, zone: nil)
        #expect(try mount("/etc/localtime", of: unnamed).kind == .bindReadOnly)
        #expect(unnamed.landlockRules.contains { $0.path == "/etc/localtime" })
    }

    @Test(
        arguments: [
            ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
            ("../usr/share/zoneinfo/Etc/UTC", "Etc/UTC"), ("/usr/share/zoneinfo/", nil),
            ("/usr/share/zoneinfo/../../../etc/shadow", nil), ("/srv/zone", nil), ("", nil),
        ] as [(String, String?)]) func theNameIsWhatFollowsZoneinfo(link: String, name: String?)
    {
        #expect(HostZone.name(ofLink: link) == name)
    }

    @Test func aClassFindsItselfInUsersGroupsAndHosts() throws {
        let plan = try Shipped.plan(.user)
        for name in ["passwd", "group", "hosts"] {
            let found = try mount("/etc/\(name)", of: plan)
            #expect(found.kind == .bindReadOnly)
            #expect(found.source == "/r/run/aico/etc/user/\(name)")
        }
        #expect(try mount("/etc/nsswitch.conf", of: plan).source == "/etc/nsswitch.conf")
    }

    @Test func sharedMemoryIsTheAttemptsOwn() throws {
        let link = try mount("/dev/shm", of: try Shipped.plan(.user))
        #expect(link.kind == .symlink && link.source == "/tmp")
    }

    @Test(arguments: TaskClass.allCases) func theWayToAGrantIsListedAndNotRead(
        taskClass: TaskClass
    ) throws {
        let ofRoot = try Shipped.plan(taskClass).landlockRules.filter { $0.path == "/" }
        #expect(ofRoot.map(\.access) == [.list])
    }

    @Test func temporaryFilesAreMemory() throws {
        let lines = ProfileFixture.base.replacing("tmp_mb: 8", with: "tmp_mb: 65")
        #expect(
            try ProfileFixture(["user.yaml": lines]).refusal(.user)
                == "user.yaml:6: 'tmp_mb' counts as memory and must be at most 64, 'memory_mb' of "
                + "'limits'")
        let most = ProfileFixture.base.replacing("tmp_mb: 8", with: "tmp_mb: 64")
        #expect(try ProfileFixture(["user.yaml": most]).refusal(.user) == nil)
    }
}
