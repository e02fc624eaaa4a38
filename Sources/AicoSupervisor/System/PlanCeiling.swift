// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox

/// The most that root puts into force for a class, whatever its plan says.
///
/// `aico-profilec` reads text and shares its uid with other programs of the host: a plan of its
/// making may be less than a class's ceiling, never more.
struct PlanCeiling {
    /// Where the instance lies; empty for an installed system.
    let root: String
    /// Where the executables are.
    let executables: String
    /// Where the profiles are.
    let profiles: String
    let taskClass: TaskClass

    private static let devices = Set(
        ["null", "zero", "full", "random", "urandom"].map { "/dev/\($0)" })
    /// Never written to, and only the first two are shown at all.
    private static let system = [
        "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/proc", "/sys", "/dev", "/boot", "/run",
        "/root",
    ]

    private static let secrets = [
        "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers",
        "/etc/sudoers.d", "/etc/ssl/private", "/etc/ssh", "/etc/aico",
    ]

    private var hasUserNamespace: Bool { taskClass == .agency || taskClass == .user }

    /// What the plan has beyond the ceiling, in words; nil where it has nothing.
    func excess(of plan: Plan) -> String? {
        if plan.classIndex != taskClass.rawValue { return "it is of another class" }
        if plan.hasUserNamespace != hasUserNamespace {
            return hasUserNamespace
                ? "it has no user namespace" : "it has a user namespace"
        }
        if !plan.supplementaryGroups.isEmpty { return "it has supplementary groups" }
        if plan.hostCapabilities & ~capabilities != 0 {
            return "it has capabilities that the class may not have"
        }
        if let layer = Layer.required.intersection(plan.optionalLayers).first {
            return "it can do without layer \(layer.name)"
        }
        let excess = plan.mounts.first { !permits($0) }
        return excess.map { "it shows '\($0.source)' at '\($0.target)'" }
    }

    /// By their bits: DAC_READ_SEARCH 2. Not FOWNER or CHOWN: over devices, /proc and the host's
    /// own files they are as good as root (docs/decisions/0008).
    private var capabilities: UInt64 {
        switch taskClass {
        case .maintenance, .security: 1 << 2
        case .agency, .user: 0
        }
    }

    private func permits(_ mount: PlanMount) -> Bool {
        switch mount.kind {
        case .symlink, .directory, .temporary, .proc: true
        case .device: Self.devices.contains(mount.source) && mount.target == mount.source
        case .bindReadOnly: permitsReading(mount.source)
        case .bindWritable: permitsWriting(mount.source)
        }
    }

    /// Whether the class may be shown a mount where its links lead to another path.
    func permits(_ mount: PlanMount, at path: String) -> Bool {
        var found = mount
        found.source = path
        return permits(found)
    }

    private func permitsReading(_ path: String) -> Bool {
        if path == executables || path == profiles && taskClass == .security { return true }
        // They are read by whoever may read anything.
        if Self.secrets.contains(where: { overlaps($0, path) }) { return false }
        if isOfInstance(path) {
            return readable.contains { path == root + $0 } || permitsWriting(path)
        }
        if isBelow("/usr", path) || isBelow("/etc", path) { return true }
        return taskClass == .user && !Self.system.contains { overlaps($0, path) }
    }

    private func permitsWriting(_ path: String) -> Bool {
        if isOfInstance(path) { return writable.contains { path == root + $0 } }
        return taskClass == .user && !Self.system.contains { overlaps($0, path) }
    }

    private var readable: [String] {
        switch taskClass {
        case .maintenance: ["/run/aico/bus"]
        case .security: ["/var/lib/aico/keys", "/var/lib/aico/integrity"]
        case .agency, .user: []
        }
    }

    private var writable: [String] {
        switch taskClass {
        case .maintenance: ["/var/lib/aico/store", "/var/log/aico"]
        case .security: []
        case .agency: ["/var/lib/aico/memory", "/var/lib/aico/learning"]
        case .user: ["/var/lib/aico/work"]
        }
    }

    /// Whether a path is a part of the instance or holds one.
    private func isOfInstance(_ path: String) -> Bool {
        ["/var/lib/aico", "/var/log/aico", "/run/aico"].contains { overlaps(root + $0, path) }
    }

    private func overlaps(_ one: String, _ other: String) -> Bool {
        isBelow(one, other) || isBelow(other, one)
    }

    private func isBelow(_ ancestor: String, _ path: String) -> Bool {
        path == ancestor || ancestor == "/" || path.hasPrefix(ancestor + "/")
    }
}
