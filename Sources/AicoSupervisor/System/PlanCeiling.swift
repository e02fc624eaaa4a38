// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import LinuxSandbox

/// The most that root puts into force for a class, whatever its plan says.
///
/// `aico-profilec` reads text: a plan of its making may be less than a class's ceiling, never more.
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
        if let mount = plan.mounts.first(where: { !permits($0) }) {
            return "it shows '\(mount.source)' at '\(mount.target)'"
        }
        if let rule = plan.landlockRules.first(where: { !permits($0, of: plan) }) {
            return "it opens '\(rule.path)' by Landlock"
        }
        return excess(ofLimits: plan) ?? excess(ofFilters: plan)
    }

    // MARK: - Limits

    /// None is 0, which would be none, and none is above what a profile may say.
    private func excess(ofLimits plan: Plan) -> String? {
        let attempt = plan.attemptLimits
        let group = plan.classLimits
        var limits: [(String, UInt64, ClosedRange<UInt64>)] = [
            ("time", UInt64(attempt.wallSeconds), 1...604_800),
            ("open files", UInt64(attempt.openFiles), 16...65_536),
            ("file size", attempt.fileSizeBytes, 1...1 << 40),
        ]
        for controller in CgroupController.ofAttempts {
            limits.append(
                (controller.noun, attempt[keyPath: controller.limit], controller.ceiling))
        }
        for controller in CgroupController.ofClasses {
            limits.append((controller.noun, attempt[keyPath: controller.limit], 0...0))
        }
        for controller in CgroupController.all {
            limits.append(
                (
                    "\(controller.noun) of the class", group[keyPath: controller.limit],
                    controller.ceiling
                ))
        }
        for (name, value, range) in limits where !range.contains(value) {
            return "its limit of \(name) is \(value == 0 ? "none" : "\(value)")"
        }
        for mount in plan.mounts where mount.kind == .temporary {
            guard 1...attempt.memoryBytes ~= mount.sizeBytes else {
                return "'\(mount.target)' has room for \(mount.sizeBytes) bytes"
            }
        }
        return nil
    }

    // MARK: - Filters

    private func excess(ofFilters plan: Plan) -> String? {
        if let excess = DeniedCalls.excess(
            ofTasks: FilterJudge(plan.taskFilter), mayExecute: taskClass == .user)
        {
            return "its filter of tasks \(excess)"
        }
        return DeniedCalls.excess(ofWorkers: FilterJudge(plan.workerFilter)).map {
            "its filter of workers \($0)"
        }
    }

    // MARK: - Landlock

    /// Never more than the mounts: what is mounted for reading is not written to, and what is there
    /// for the worker alone is not read.
    private func permits(_ rule: LandlockRule, of plan: Plan) -> Bool {
        if rule.access == .list { return rule.path == "/" }
        guard let number = plan.innermostMount(over: rule.path) else { return false }
        let mount = plan.mounts[number]
        switch mount.kind {
        case .bindReadOnly:
            if rule.access.contains(.write) { return false }
            if rule.access.contains(.execute), taskClass != .user { return false }
            return mount.source != executables || isGranted(executables, to: \.readers)
        case .proc: return rule.access == .read
        case .bindWritable, .temporary, .device: return !rule.access.contains(.execute)
        case .symlink, .directory: return false
        }
    }

    // MARK: - Mounts

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
        // Each worker's program is there, whatever its tasks may read.
        if path == executables || isGranted(path, to: \.readers) { return true }
        // They are read by whoever may read anything.
        if Self.secrets.contains(where: { overlaps($0, path) }) { return false }
        if isOfInstance(path) {
            let files = InstanceDirectory.files(of: taskClass).path(under: root)
            return ClassFiles.names.contains { path == "\(files)/\($0)" }
        }
        if isBeneath(path, "/usr") || isBeneath(path, "/etc") { return true }
        return taskClass == .user && !Self.system.contains { overlaps($0, path) }
    }

    private func permitsWriting(_ path: String) -> Bool {
        if isOfInstance(path) { return isGranted(path, to: \.writers) }
        return taskClass == .user && !Self.system.contains { overlaps($0, path) }
    }

    /// By the table that this program was built with, never by what the compiler says of it.
    private func isGranted(
        _ path: String, to classes: KeyPath<InstanceDirectory, Set<TaskClass>>
    ) -> Bool {
        let paths = InstancePaths(root: root, executables: executables, profiles: profiles)
        return InstanceDirectory.all.contains {
            $0[keyPath: classes].contains(taskClass) && path == paths.host($0)
        }
    }

    /// Whether a path is a part of the instance or holds one.
    private func isOfInstance(_ path: String) -> Bool {
        InstanceDirectory.all.contains { overlaps($0.path(under: root), path) }
    }

    private func overlaps(_ one: String, _ other: String) -> Bool {
        isBeneath(other, one) || isBeneath(one, other)
    }
}
