// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// A plan as the C side takes it: used by every attempt, never freed.
///
/// Rule paths are opened here, but for those of the attempt's own mounts: once, or with each change
/// of the grants that hold them.
final class PreparedAttempts {
    /// What an attempt's confinement reads.
    let plan: UnsafePointer<aico_attempt_plan>
    private let rules: UnsafeMutablePointer<aico_attempt_rule>
    private let source: Plan
    /// By rule: the number of the mount that shows its path; nil where none of the host does.
    private let holders: [Int?]

    init(_ source: Plan, classHasNamespaces: Bool) throws(SandboxError) {
        let own = Set(source.attemptMounts.map(\.target))
        holders = source.landlockRules.map { rule in
            own.contains { isBeneath(rule.path, $0) }
                ? nil
                : source.innermostMount(over: rule.path) {
                    $0 == .bindReadOnly || $0 == .bindWritable
                }
        }
        let made = try FixedParts(
            source, own: own, holders: holders, classHasNamespaces: classHasNamespaces)
        let memory = UnsafeMutablePointer<aico_attempt_plan>.allocate(capacity: 1)
        memory.initialize(to: made.plan)
        plan = UnsafePointer(memory)
        rules = made.rules
        self.source = source
    }

    /// Opens the paths of what is shown now.
    func renewRules(_ answer: aico_grant_answer) {
        for (index, rule) in source.landlockRules.enumerated() {
            guard let holder = holders[index] else { continue }
            if rules[index].fd >= 0 { close(rules[index].fd) }
            rules[index].fd = -1
            rules[index].access = 0
            guard answer.shown & 1 << UInt64(holder) != 0 else { continue }
            rules[index].open(rule, handled: plan.pointee.landlock_files)
        }
    }
}

extension aico_attempt_rule {
    /// Opens its path and says what is granted beneath it.
    fileprivate mutating func open(_ rule: LandlockRule, handled: UInt64) {
        var isDirectory: Int32 = 0
        access = aico_landlock_access(rule.access.rawValue) & handled
        fd = aico_landlock_open(rule.path, &isDirectory)
        if fd >= 0, isDirectory == 0 { access &= aico_landlock_plain_files() }
        // A missing optional one grants nothing. Another that cannot be opened is tried again by
        // each attempt, which then says why it is refused.
        if fd < 0, errno == ENOENT, rule.ifExists { access = 0 }
    }
}

/// What is made once.
private struct FixedParts {
    private(set) var plan = aico_attempt_plan()
    private(set) var rules: UnsafeMutablePointer<aico_attempt_rule>

    init(
        _ source: Plan, own: Set<String>, holders: [Int?], classHasNamespaces: Bool
    ) throws(SandboxError) {
        rules = .allocate(capacity: max(source.landlockRules.count, 1))
        plan.uid = source.userID
        plan.gid = source.groupID
        withUnsafeMutableBytes(of: &plan.groups) { bytes in
            let groups = source.supplementaryGroups.prefix(bytes.count / 4)
            for (index, group) in groups.enumerated() {
                bytes.storeBytes(of: group, toByteOffset: index * 4, as: UInt32.self)
            }
        }
        plan.group_count = UInt32(min(source.supplementaryGroups.count, 8))
        plan.own_namespaces = source.hasUserNamespace ? 1 : 0
        plan.class_namespaces = classHasNamespaces ? 1 : 0
        plan.root_read_only = aico_root_is_read_only() == 1 ? 1 : 0
        plan.optional = source.optionalLayers.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
        // What a plan names beyond its class's own is not there to be given.
        plan.host_capabilities = source.hasUserNamespace ? 0 : source.hostCapabilities
        plan.open_files = UInt64(source.attemptLimits.openFiles)
        plan.file_size = source.attemptLimits.fileSizeBytes
        plan.file_mask = UInt32(source.fileMask)
        plan.null_fd = try Self.openNull()
        setMounts(source)
        setFilter(source)
        setRules(source, own, holders)
    }

    /// Opens /dev/null and keeps descriptors 3 to 6 taken: a task process puts its own there.
    private static func openNull() throws(SandboxError) -> Int32 {
        while true {
            let null = open("/dev/null", O_RDWR | O_CLOEXEC)
            guard null >= 0 else {
                throw SandboxError(
                    operation: "open '/dev/null'", layer: .descriptors, errno: errno)
            }
            if null > 6 { return null }
        }
    }

    private mutating func setMounts(_ source: Plan) {
        let made = source.attemptMounts.map { mount in
            var entry = aico_attempt_mount()
            entry.target = Self.keep(mount.target)
            entry.flags = UInt64(MS_NOSUID | MS_NODEV | MS_NOEXEC)
            if mount.kind == .proc {
                entry.type = Self.keep("proc")
                // Of all that is in /proc, only the attempt's own processes.
                entry.options = Self.keep("hidepid=2,subset=pid")
                entry.flags |= UInt64(MS_RDONLY)
            } else {
                entry.type = Self.keep("tmpfs")
                let inodes = max(mount.sizeBytes / 4096, 64)
                entry.options = Self.keep(
                    "mode=1777,size=\(mount.sizeBytes),nr_inodes=\(inodes)")
            }
            return entry
        }
        plan.mounts = Self.keep(made)
        plan.mount_count = made.count
    }

    private mutating func setFilter(_ source: Plan) {
        // FilterInstruction is laid out as struct sock_filter; see its fields.
        plan.filter = UnsafeRawPointer(Self.keep(source.taskFilter))
        plan.filter_count = UInt16(clamping: source.taskFilter.count)
    }

    private mutating func setRules(_ source: Plan, _ own: Set<String>, _ holders: [Int?]) {
        let abi = aico_landlock_abi()
        plan.landlock_error = abi < 0 ? errno : 0
        plan.landlock_abi = UInt32(max(abi, 0))
        plan.landlock_files = abi > 0 ? aico_landlock_files(abi) : 0
        // Of a /tmp that attempts share each has a directory.
        let shared = Set(
            source.hasUserNamespace
                ? [] : source.mounts.filter { $0.kind == .temporary }.map(\.target))
        for (index, rule) in source.landlockRules.enumerated() {
            var entry = aico_attempt_rule()
            entry.fd = -1
            entry.if_exists = rule.ifExists ? 1 : 0
            entry.path = Self.keep(rule.path)
            entry.is_temporary = shared.contains(rule.path) ? 1 : 0
            if entry.is_temporary != 0 || own.contains(where: { isBeneath(rule.path, $0) }) {
                entry.access = aico_landlock_access(rule.access.rawValue) & plan.landlock_files
            } else if holders[index] == nil {
                entry.open(rule, handled: plan.landlock_files)
            }
            (rules + index).initialize(to: entry)
        }
        plan.rules = UnsafePointer(rules)
        plan.rule_count = source.landlockRules.count
    }

    private static func keep(_ text: String) -> UnsafePointer<CChar>? {
        strdup(text).map { UnsafePointer($0) }
    }

    private static func keep<Element>(_ elements: [Element]) -> UnsafePointer<Element>? {
        guard !elements.isEmpty else { return nil }
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
        memory.initialize(from: elements, count: elements.count)
        return UnsafePointer(memory)
    }
}
