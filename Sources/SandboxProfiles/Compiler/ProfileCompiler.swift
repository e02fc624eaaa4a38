// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import CLinux
import Capabilities
import Glibc
package import LinuxSandbox
import StrictYAML

/// Compiles a class's profile to a plan; reads files, changes nothing.
package enum ProfileCompiler {
    /// Compiles `profilesDirectory/<class>.yaml`.
    ///
    /// - Throws: where the file or one of its includes is not exactly as docs/profiles.md has it.
    package static func compile(
        class taskClass: TaskClass, profilesDirectory: String, paths: InstancePaths,
        identities: ClassIdentities
    ) throws(ProfileError) -> Plan {
        let profile = try read(
            class: taskClass, profilesDirectory: profilesDirectory, identities: identities)
        return try plan(of: profile, paths: paths, identities: identities)
    }

    /// Reads and checks a profile without compiling it.
    package static func read(
        class taskClass: TaskClass, profilesDirectory: String,
        identities: ClassIdentities? = nil
    ) throws(ProfileError) -> Profile {
        let directory = try ProfileDirectory(path: profilesDirectory, refusing: identities)
        return try ProfileReader.read(taskClass, in: directory)
    }

    /// What is not refused, but leaves a class other than its profile says, each as one line.
    package static func notes(of profile: Profile, landlockABI: Int) -> [String] {
        let file = "\(profile.taskClass.name).yaml"
        var notes = Proof.lacks(of: profile).map { "\(file): \($0)" }
        if !profile.socketFamilies.isEmpty, !mayHaveSockets(profile, landlockABI: landlockABI) {
            notes.append(
                "\(file): 'sockets' stay refused: abstract ones would be open between attempts, "
                    + "which Landlock closes from Linux 6.12 on (its ABI here is "
                    + "\(max(landlockABI, 0)), 6 is needed)")
        }
        return notes
    }

    /// Whether abstract sockets of one attempt are out of another's reach: they have no path, and
    /// the class's attempts share a network namespace.
    private static func mayHaveSockets(_ profile: Profile, landlockABI: Int) -> Bool {
        profile.processes == .threads
            || landlockABI >= 6 && !profile.optionalLayers.contains(.landlock)
    }

    /// Compiles a profile that was read.
    ///
    /// - Parameters:
    ///   - landlockABI: of the kernel that is to confine.
    ///   - zone: the host's time zone by its name, as `Europe/Berlin`; nil where it has none.
    package static func plan(
        of profile: Profile, paths: InstancePaths, identities: ClassIdentities,
        landlockABI: Int = Landlock.abi, zone: String? = HostZone.name
    ) throws(ProfileError) -> Plan {
        var profile = profile
        if !mayHaveSockets(profile, landlockABI: landlockABI) { profile.removeSockets() }
        guard let identity = identities[profile.taskClass], identity.userID != 0,
            identity.groupID != 0
        else {
            throw ProfileError(
                file: "\(profile.taskClass.name).yaml", line: 0,
                reason: "class \(profile.taskClass.name) has no identity, or root's")
        }
        let root = try ClassRoot(profile, paths: paths, zone: zone)
        var plan = Plan()
        plan.classIndex = profile.taskClass.rawValue
        plan.userID = identity.userID
        plan.groupID = identity.groupID
        plan.hasUserNamespace = ClassCeiling(profile.taskClass).hasUserNamespace
        plan.hostCapabilities = profile.capabilities.rawValue
        plan.mounts = root.mounts
        plan.landlockRules = root.rules
        plan.attemptLimits = profile.attemptLimits
        plan.classLimits = profile.classLimits
        plan.workerFilter = try WorkerFilter.compile()
        plan.taskFilter = try TaskFilter(profile, identity: identity).compile()
        plan.optionalLayers = profile.optionalLayers
        plan.concurrency = profile.concurrency
        plan.fileMask = profile.fileMask
        return plan
    }
}

extension Profile {
    /// No socket but pairs, whatever the calls that are granted.
    mutating func removeSockets() {
        socketFamilies = []
        let calls: Set = ["connect", "bind", "listen", "accept", "accept4"]
        syscalls.refused.formUnion(syscalls.allowed.intersection(calls))
        syscalls.allowed.subtract(calls)
    }
}

/// The host's time zone.
package enum HostZone {
    /// The name that /etc/localtime leads to, as `Europe/Berlin`; nil where it is no link to one.
    package static var name: String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = readlink("/etc/localtime", &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        let name = Self.name(ofLink: String(decoding: buffer[..<count], as: UTF8.self))
        guard let name, access("/usr/share/zoneinfo/\(name)", R_OK) == 0 else { return nil }
        return name
    }

    /// The name in the text of a link, which may lead there by way of "..".
    static func name(ofLink text: String) -> String? {
        let parts = text.split(separator: "/")
        guard let place = parts.lastIndex(of: "zoneinfo") else { return nil }
        let name = parts[(place + 1)...]
        guard !name.isEmpty, !name.contains(".."), !name.contains(".") else { return nil }
        return name.joined(separator: "/")
    }
}
