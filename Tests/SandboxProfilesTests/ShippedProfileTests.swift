// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox
import StrictYAML
import Testing

@testable import SandboxProfiles

/// The four shipped profiles against the table of classes that the design promises.
@Suite struct ShippedProfileTests {
    /// One column of that table.
    struct Promise: Sendable, CustomTestStringConvertible {
        var taskClass: TaskClass
        var hasUserNamespace: Bool
        /// By their bits: DAC_READ_SEARCH 2.
        var capabilities: UInt64
        /// Writable places of the instance, as tasks see them.
        var writable: Set<String>
        /// Readable places of the instance beside those.
        var readable: Set<String>
        /// What may be executed.
        var executable: Set<String>
        var memory: UInt64
        var processes: UInt64
        var wallSeconds: UInt32

        var testDescription: String { taskClass.name }
    }

    static let promises = [
        Promise(
            taskClass: .maintenance, hasUserNamespace: false,
            capabilities: 1 << 2,
            writable: ["/aico/store", "/aico/logs"], readable: ["/aico/bus"],
            executable: [], memory: 512 << 20, processes: 64, wallSeconds: 3600),
        Promise(
            taskClass: .security, hasUserNamespace: false, capabilities: 1 << 2, writable: [],
            readable: ["/aico/keys", "/aico/profiles", "/aico/integrity", "/aico/bin"],
            executable: [], memory: 512 << 20, processes: 64, wallSeconds: 3600),
        Promise(
            taskClass: .agency, hasUserNamespace: true, capabilities: 0,
            writable: ["/aico/memory", "/aico/learning"], readable: [], executable: [],
            memory: 1024 << 20, processes: 32, wallSeconds: 1800),
        Promise(
            taskClass: .user, hasUserNamespace: true, capabilities: 0, writable: ["/aico/work"],
            readable: [], executable: ["/usr"], memory: 256 << 20, processes: 128,
            wallSeconds: 300),
    ]

    /// What every class may write: nothing of it outlives the attempt or reaches the host.
    static let alwaysWritable: Set<String> = [
        "/tmp", "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
    ]

    private static func paths(_ plan: Plan, with access: LandlockRule.Access) -> Set<String> {
        Set(plan.landlockRules.filter { !$0.access.isDisjoint(with: access) }.map(\.path))
    }

    @Test(arguments: promises) func identityAndRights(promise: Promise) throws {
        let plan = try Shipped.plan(promise.taskClass)
        let number = 61001 + UInt32(promise.taskClass.rawValue)
        #expect(plan.classIndex == promise.taskClass.rawValue)
        #expect(plan.userID == number && plan.groupID == number + 1000)
        #expect(plan.supplementaryGroups.isEmpty)
        #expect(plan.hasUserNamespace == promise.hasUserNamespace)
        #expect(plan.hostCapabilities == promise.capabilities)
        #expect(plan.optionalLayers.isEmpty, "every layer must hold")
    }

    @Test(arguments: promises) func limits(promise: Promise) throws {
        let plan = try Shipped.plan(promise.taskClass)
        let attempt = plan.attemptLimits
        #expect(attempt.memoryBytes == promise.memory)
        #expect(attempt.processes == promise.processes)
        #expect(attempt.wallSeconds == promise.wallSeconds)
        #expect(attempt.cpuPercent > 0 && attempt.openFiles > 0 && attempt.fileSizeBytes > 0)
        // One attempt fits into the class with room for worker and fork server, and no number of
        // attempts starves another of processes.
        #expect(plan.classLimits.memoryBytes > attempt.memoryBytes)
        #expect(plan.classLimits.processes >= attempt.processes * UInt64(plan.concurrency))
        #expect(plan.classLimits.cpuPercent >= attempt.cpuPercent)
    }

    @Test(arguments: promises) func writesAndReadsOfTheInstance(promise: Promise) throws {
        let plan = try Shipped.plan(promise.taskClass)
        let written = Self.paths(plan, with: .write)
        #expect(written.subtracting(Self.alwaysWritable) == promise.writable)
        let read = Self.paths(plan, with: .read).filter { $0.hasPrefix("/aico/") }
        #expect(Set(read) == promise.writable.union(promise.readable))
        // Mounts and Landlock say the same: one alone must be enough.
        let mounted = plan.mounts.filter { $0.kind == .bindWritable }.map(\.target)
        #expect(Set(mounted) == promise.writable)
    }

    @Test(arguments: promises) func executesWhatItIsGrantedOnly(promise: Promise) throws {
        let plan = try Shipped.plan(promise.taskClass)
        #expect(Self.paths(plan, with: .execute) == promise.executable)
        let profile = try Shipped.profile(promise.taskClass)
        #expect(profile.mayExecute == !promise.executable.isEmpty)
        #expect(profile.processes == (promise.executable.isEmpty ? .threads : .children))
        #expect(!profile.writableExecutableMemory)
        // No place is writable and executable.
        #expect(plan.landlockRules.allSatisfy { !$0.access.isSuperset(of: [.write, .execute]) })
    }

    @Test(arguments: promises) func readsOfTheHostAreNarrow(promise: Promise) throws {
        let plan = try Shipped.plan(promise.taskClass)
        let hosts = plan.mounts.filter { $0.kind == .bindReadOnly && $0.source == $0.target }
        for mount in hosts {
            let isNarrow =
                isBeneath(mount.source, "/usr") || isBeneath(mount.source, "/etc/")
                || mount.source.hasPrefix("/etc/")
            #expect(isNarrow, "\(mount.source)")
            #expect(plan.landlockRules.contains { $0.path == mount.source }, "\(mount.source)")
        }
        #expect(!hosts.contains { $0.source == "/etc" })
        let hasAllOfUsr = hosts.contains { $0.source == "/usr" }
        #expect(hasAllOfUsr == (promise.taskClass == .user))
    }

    /// Maintenance has unix sockets for the bus, user for the processes of one command; no class
    /// has a network.
    @Test(arguments: promises) func sockets(promise: Promise) throws {
        let profile = try Shipped.profile(promise.taskClass)
        let isServer = promise.taskClass == .user
        let isClient = isServer || promise.taskClass == .maintenance
        #expect(profile.socketFamilies == (isClient ? [.unix] : []))
        let serving: Set = ["bind", "listen", "accept", "accept4"]
        #expect(serving.isSubset(of: profile.syscalls.refused) == !isServer)
        #expect(profile.syscalls.allowed.contains("connect") == isClient)
    }

    @Test func privateMountsAreThereForEveryClass() throws {
        for taskClass in TaskClass.allCases {
            let plan = try Shipped.plan(taskClass)
            #expect(plan.mounts.contains { $0.kind == .proc && $0.target == "/proc" })
            let temporary = plan.mounts.filter { $0.kind == .temporary }
            #expect(temporary.map(\.target) == ["/tmp"])
            #expect(temporary.allSatisfy { $0.sizeBytes >= 1 << 20 })
            #expect(Set(plan.mounts.map(\.target)).count == plan.mounts.count, "no place twice")
            // A plan that cannot be read back would stop the start.
            #expect(try PlanCodec.decode(PlanCodec.encode(plan)) == plan)
        }
    }

    @Test func aClassWithoutIdentityOrWithRootsIsRefused() {
        func refusal(_ identity: ClassIdentities.Identity?) -> String? {
            let identities = ClassIdentities(identity.map { [.user: $0] } ?? [:])
            do throws(ProfileError) {
                _ = try ProfileCompiler.compile(
                    class: .user, profilesDirectory: Shipped.directory, paths: Shipped.paths,
                    identities: identities)
                return nil
            } catch {
                return error.description
            }
        }
        let expected = "user.yaml: class user has no identity, or root's"
        #expect(refusal(nil) == expected)
        #expect(refusal(.init(userID: 61004, groupID: 0)) == expected)
        // Files that root owns are a class's files then, which is said first.
        #expect(refusal(.init(userID: 0, groupID: 61004)) != nil)
        #expect(refusal(.init(userID: 61004, groupID: 61004)) == nil)
    }
}
