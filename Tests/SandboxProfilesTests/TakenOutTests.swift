// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// Entries of an include that a profile goes without.
@Suite struct TakenOutTests {
    private static let included = """
        readable:
          - /etc/profile
          - /usr/share
        devices:
          - null zero
        syscalls:
          allow:
            - read write mlock
          prctl:
            - PR_SET_NAME PR_GET_NAME

        """

    private func fixture(_ lines: String) throws -> ProfileFixture {
        try ProfileFixture([
            "user.yaml": ProfileFixture.base + "include:\n  - include/a.yaml\n" + lines,
            "include/a.yaml": Self.included,
        ])
    }

    private func profile(_ lines: String) throws -> Profile {
        let fixture = try fixture(lines)
        return try ProfileCompiler.read(class: .user, profilesDirectory: fixture.path)
    }

    @Test func eachKindOfEntryIsPassedOver() throws {
        let whole = try profile("")
        #expect(whole.hostPaths.map(\.path) == ["/etc/profile", "/usr/share"])
        #expect(whole.devices == [.null, .zero])
        #expect(whole.syscalls.allowed == ["read", "write", "mlock"])
        #expect(whole.syscalls.arguments[.prctl] == [15, 16])
        let less = try profile("without:\n  - /etc/profile\n  - mlock zero PR_GET_NAME\n")
        #expect(less.hostPaths.map(\.path) == ["/usr/share"])
        #expect(less.devices == [.null])
        #expect(less.syscalls.allowed == ["read", "write"])
        #expect(less.syscalls.arguments[.prctl] == [15])
    }

    @Test func theProfileMayPutItElsewhere() throws {
        let profile = try profile("without:\n  - mlock\nsyscalls:\n  refuse:\n    - mlock\n")
        #expect(profile.syscalls.refused == ["mlock"])
        #expect(!profile.syscalls.allowed.contains("mlock"))
        // The control: without the key it stands in two lists.
        #expect(
            try fixture("syscalls:\n  refuse:\n    - mlock\n").refusal(.user)
                == "user.yaml:11: 'mlock' is listed under 'allow' already")
    }

    @Test func whatNoIncludeHasIsRefused() throws {
        #expect(
            try fixture("without:\n  - mlock\n  - mlockall\n").refusal(.user)
                == "user.yaml:11: 'mlockall' is in none of the includes")
        // The profile's own entry is none of an include's.
        #expect(
            try fixture("without:\n  - /srv\nreadable:\n  - /srv\n").refusal(.user)
                == "user.yaml:10: '/srv' is in none of the includes")
    }

    /// A class that could not be proven takes no orders: where that comes from is said before.
    @Test func whatTheCanaryNeedsIsNamed() throws {
        for taskClass in TaskClass.allCases {
            let profile = try Shipped.profile(taskClass)
            #expect(ProfileCompiler.notes(of: profile, landlockABI: 6).isEmpty)
        }
        var profile = try Shipped.profile(.user)
        profile.syscalls.allowed.remove("capget")
        profile.syscalls.arguments[.prctl]?.remove(21)
        let words = "user.yaml: class user would fail its canary and take no orders: "
        #expect(
            ProfileCompiler.notes(of: profile, landlockABI: 6) == [
                words + "its canary needs 'capget' under 'allow', as in runtime.yaml",
                words + "its canary needs 'PR_GET_SECCOMP' under 'prctl', as in runtime.yaml",
            ])
        let fixture = try ProfileFixture([
            "user.yaml": ProfileFixture.base + "include:\n  - include/a.yaml\n",
            "include/a.yaml": "syscalls:\n  unavailable:\n    - unshare\n",
        ])
        let changed = try ProfileCompiler.read(class: .user, profilesDirectory: fixture.path)
        let note = ProfileCompiler.notes(of: changed, landlockABI: 6).last
        #expect(
            note?.replacing("\(fixture.path)/", with: "") == words
                + "'unshare' must stand in no list (include/a.yaml:3): it has to end its canary")
    }
}
