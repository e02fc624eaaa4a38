// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// A plan as the C side takes it: made once, used by every attempt, never freed.
///
/// Rule paths are opened here, but for those of the attempt's own mounts.
struct PreparedAttempts {
    private(set) var plan = aico_attempt_plan()

    init(_ source: Plan, classHasNamespaces: Bool) throws(SandboxError) {
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
        plan.null_fd = try Self.openNull()
        setMounts(source)
        setFilter(source)
        try setRules(source)
    }

    /// Opens /dev/null and keeps descriptors 3 to 5 taken: a task process puts its own there.
    private static func openNull() throws(SandboxError) -> Int32 {
        while true {
            let null = open("/dev/null", O_RDWR | O_CLOEXEC)
            guard null >= 0 else {
                throw SandboxError(
                    operation: "open '/dev/null'", layer: .descriptors, errno: errno)
            }
            if null > 5 { return null }
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

    private mutating func setRules(_ source: Plan) throws(SandboxError) {
        let abi = aico_landlock_abi()
        plan.landlock_error = abi < 0 ? errno : 0
        plan.landlock_abi = UInt32(max(abi, 0))
        plan.landlock_files = abi > 0 ? aico_landlock_files(abi) : 0
        let own = source.attemptMounts.map(\.target)
        var rules: [aico_attempt_rule] = []
        for rule in source.landlockRules {
            var entry = aico_attempt_rule()
            entry.fd = -1
            entry.if_exists = rule.ifExists ? 1 : 0
            entry.access = aico_landlock_access(rule.access.rawValue) & plan.landlock_files
            entry.path = Self.keep(rule.path)
            if !own.contains(where: { rule.path == $0 || rule.path.hasPrefix("\($0)/") }) {
                var isDirectory: Int32 = 0
                entry.fd = aico_landlock_open(rule.path, &isDirectory)
                if entry.fd >= 0, isDirectory == 0 {
                    entry.access &= aico_landlock_plain_files()
                }
                // A missing optional one grants nothing. Another that cannot be opened is tried
                // again by each attempt, which then says why it is refused.
                if entry.fd < 0, errno == ENOENT, rule.ifExists { entry.access = 0 }
            }
            rules.append(entry)
        }
        plan.rules = Self.keep(rules)
        plan.rule_count = rules.count
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
