// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox
import StrictYAML

/// Lays out the minimal root of a class and the Landlock rules for its tasks.
struct ClassRoot {
    private(set) var mounts: [PlanMount] = []
    private(set) var rules: [LandlockRule] = []

    /// - Parameter zone: the file below /usr/share/zoneinfo that the host's /etc/localtime leads
    ///   to, by its name there; nil where it is none.
    init(_ profile: Profile, paths: InstancePaths, zone: String?) throws(ProfileError) {
        try addHostPaths(profile, paths: paths, zone: zone)
        // What the class root holds is what was granted, and the way to it.
        rules.append(LandlockRule(path: "/", access: .list))
        addLinks(profile)
        addDevices(profile)
        addPrivate(profile)
        addDirectories(profile, paths: paths)
        guard mounts.count <= 64, rules.count <= 64 else {
            throw ProfileError(
                file: "\(profile.taskClass.name).yaml", line: 0,
                reason: "a class root takes at most 64 mounts and 64 paths, "
                    + "not \(mounts.count) and \(rules.count)")
        }
    }

    /// Parents come before what lies beneath them, which needs a mount of its own only where it is
    /// read-only beneath a writable one.
    private mutating func addHostPaths(
        _ profile: Profile, paths: InstancePaths, zone: String?
    ) throws(ProfileError) {
        let zoneFile = zone.map { "\(Self.zones)/\($0)" }
        var mounted: [HostPath] = []
        for grant in profile.hostPaths.sorted(by: { $0.path < $1.path }) {
            func refusal(_ reason: String) -> ProfileError {
                ProfileError(file: grant.file, line: grant.line, reason: reason)
            }
            guard !paths.overlaps(grant.path) else {
                throw refusal("'\(grant.path)' holds the instance's own state")
            }
            if grant.path == Self.localtime, let zoneFile,
                profile.hostPaths.contains(where: { isBeneath(zoneFile, $0.path) })
            {
                // A link as on the host: programs take the zone's name from it, and those that
                // find a plain file there take the first of the same rules.
                mounts.append(
                    PlanMount(kind: .symlink, source: zoneFile, target: Self.localtime))
                continue
            }
            let parent = mounted.last { isBeneath(grant.path, $0.path) }
            if let parent, grant.access.contains(.write), !parent.access.contains(.write) {
                throw refusal("'\(grant.path)' lies beneath '\(parent.path)', which is read-only")
            }
            if parent == nil || parent?.access.contains(.write) != grant.access.contains(.write) {
                mounted.append(grant)
                mounts.append(
                    PlanMount(
                        kind: grant.access.contains(.write) ? .bindWritable : .bindReadOnly,
                        source: paths.source(of: grant.path, for: profile.taskClass),
                        target: grant.path, ifExists: grant.ifPresent,
                        // A worker needs its libraries and what libc reads once.
                        isLate: !["/usr", "/etc"].contains { isBeneath(grant.path, $0) }))
            }
            rules.append(
                LandlockRule(path: grant.path, access: grant.access, ifExists: grant.ifPresent))
        }
    }

    private static let localtime = "/etc/localtime"
    private static let zones = "/usr/share/zoneinfo"

    /// The top-level links of a merged /usr; the loader's path among them.
    private mutating func addLinks(_ profile: Profile) {
        let reachesUsr = profile.hostPaths.contains { isBeneath($0.path, "/usr") }
        guard reachesUsr else { return }
        for name in ["bin", "sbin", "lib", "lib64"] {
            mounts.append(PlanMount(kind: .symlink, source: "usr/\(name)", target: "/\(name)"))
        }
    }

    private mutating func addDevices(_ profile: Profile) {
        for device in profile.devices {
            let path = "/dev/\(device.rawValue)"
            mounts.append(PlanMount(kind: .device, source: path, target: path))
            rules.append(LandlockRule(path: path, access: [.read, .write]))
        }
        // bash's process substitution and many scripts spell descriptors this way.
        let links = [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
            // shm_open(3) and sem_open(3), and with them Python's multiprocessing: what is put
            // there is the attempt's own, and counts as what is in its /tmp.
            ("shm", "/tmp"),
        ]
        guard profile.mayExecute else { return }
        for (name, text) in links {
            mounts.append(PlanMount(kind: .symlink, source: text, target: "/dev/\(name)"))
        }
    }

    private mutating func addPrivate(_ profile: Profile) {
        mounts.append(PlanMount(kind: .proc, source: "", target: "/proc"))
        rules.append(LandlockRule(path: "/proc", access: .read))
        mounts.append(
            PlanMount(
                kind: .temporary, source: "", target: "/tmp", sizeBytes: profile.temporaryBytes))
        rules.append(LandlockRule(path: "/tmp", access: [.read, .write]))
    }

    /// The executables are the worker's: mounted, but no path of its tasks.
    private mutating func addDirectories(_ profile: Profile, paths: InstancePaths) {
        var grants = profile.directories
        if !grants.contains(where: { $0.directory == .executables }) {
            grants.append(DirectoryGrant(directory: .executables, access: []))
        }
        for grant in grants {
            let target = grant.directory.classPath
            mounts.append(
                PlanMount(
                    kind: grant.access.contains(.write) ? .bindWritable : .bindReadOnly,
                    source: paths.host(grant.directory), target: target))
            guard !grant.access.isEmpty else { continue }
            rules.append(LandlockRule(path: target, access: grant.access))
        }
    }
}
