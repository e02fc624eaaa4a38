// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
public import LinuxSandbox
public import StrictYAML

/// Compiles a class's profile to a plan; reads files, changes nothing.
public enum ProfileCompiler {
    /// Compiles `profilesDirectory/<class>.yaml`.
    ///
    /// - Throws: where the file or one of its includes is not exactly as docs/profiles.md has it.
    public static func compile(
        class taskClass: TaskClass, profilesDirectory: String, paths: InstancePaths,
        identities: ClassIdentities
    ) throws(ProfileError) -> Plan {
        let profile = try read(
            class: taskClass, profilesDirectory: profilesDirectory, identities: identities)
        return try plan(of: profile, paths: paths, identities: identities)
    }

    /// Reads and checks a profile without compiling it.
    public static func read(
        class taskClass: TaskClass, profilesDirectory: String,
        identities: ClassIdentities? = nil
    ) throws(ProfileError) -> Profile {
        let directory = try ProfileDirectory(path: profilesDirectory, refusing: identities)
        return try ProfileReader.read(taskClass, in: directory)
    }

    static func plan(
        of profile: Profile, paths: InstancePaths, identities: ClassIdentities
    ) throws(ProfileError) -> Plan {
        guard let identity = identities[profile.taskClass], identity.userID != 0,
            identity.groupID != 0
        else {
            throw ProfileError(
                file: "\(profile.taskClass.name).yaml", line: 0,
                reason: "class \(profile.taskClass.name) has no identity, or root's")
        }
        let root = try ClassRoot(profile, paths: paths)
        var plan = Plan()
        plan.classIndex = profile.taskClass.rawValue
        plan.userID = identity.userID
        plan.groupID = identity.groupID
        plan.hasUserNamespace = ClassCeiling(profile.taskClass).hasUserNamespace
        plan.hostCapabilities = profile.capabilities.reduce(0) { $0 | $1.bit }
        plan.mounts = root.mounts
        plan.landlockRules = root.rules
        plan.attemptLimits = profile.attemptLimits
        plan.classLimits = profile.classLimits
        plan.workerFilter = try WorkerFilter.compile()
        plan.taskFilter = try TaskFilter(profile, identity: identity).compile()
        plan.optionalLayers = profile.optionalLayers
        plan.concurrency = profile.concurrency
        return plan
    }
}
