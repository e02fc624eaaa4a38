// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSystem

/// Finds the class's cgroup descriptors in a worker and makes their backend.
package enum InheritedCgroups {
    /// The first cgroup descriptor of a worker; plan, endpoints and the two of the
    /// grants come before it.
    package static let firstDescriptor: Int32 = 7

    /// Takes over the descriptors from `first` on: v2 alone, or v2 and the trees of each
    /// attempt's controllers.
    /// - Throws: EBADF where the descriptors are no cgroup directories in that order.
    package static func backend(
        first: Int32 = firstDescriptor, plan: Plan
    ) throws(CgroupError) -> any CgroupBackend {
        var groups: [CgroupDirectory] = []
        while groups.count < Self.most {
            let descriptor = first + Int32(groups.count)
            let expected = groups.isEmpty ? cgroup2Magic : cgroupMagic
            guard fileSystem(of: descriptor) == expected else { break }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            groups.append(CgroupDirectory(owning: descriptor, label: "cgroup \(descriptor)"))
        }
        return try backend(groups: groups, plan: plan)
    }

    /// Closes a worker's copies once its fork server has them.
    static func closeAll(first: Int32) {
        for descriptor in first..<(first + Int32(most)) {
            guard let magic = fileSystem(of: descriptor),
                magic == cgroupMagic || magic == cgroup2Magic
            else { return }
            close(descriptor)
        }
    }

    static func backend(
        groups: [CgroupDirectory], plan: Plan
    ) throws(CgroupError) -> any CgroupBackend {
        var limits = plan.attemptLimits
        if groups.count == 1 { return UnifiedCgroups(group: groups[0], limits: limits) }
        // v1 refuses a child above its parent.
        let most = plan.classLimits.cpuPercent
        if most > 0 { limits.cpuPercent = min(limits.cpuPercent, most) }
        if let hybrid = HybridCgroups(groups: groups, attemptLimits: limits) { return hybrid }
        throw CgroupError(
            operation: "use inherited descriptors", subject: "\(groups.count)", errno: EBADF)
    }

    private static let most = 1 + CgroupController.ofAttempts.count

    // linux/magic.h
    private static let cgroupMagic = 0x27E0EB
    private static let cgroup2Magic = 0x6367_7270

    private static func fileSystem(of descriptor: Int32) -> Int? {
        try? FileSystem.magic(of: descriptor)
    }
}
