// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Writing a plan's limits into control files, one function for each controller and version.
///
/// A limit of 0 leaves the kernel's default; a limit that cannot be written is an error.
enum CgroupLimits {
    /// The bandwidth period, as the kernel's default.
    private static let period: UInt64 = 100_000

    /// Sets memory, pids and cpu of a v2 cgroup; `endsTogether` makes an OOM kill take the tree.
    static func applyUnified(
        _ limits: PlanLimits, to group: CgroupDirectory, endsTogether: Bool
    ) throws(CgroupError) {
        if limits.memoryBytes > 0 {
            try group.write("\(limits.memoryBytes)", to: "memory.max")
            // Without it a memory bomb fills the swap first.
            try group.writeIfPresent("0", to: "memory.swap.max")
            if endsTogether { try group.write("1", to: "memory.oom.group") }
        }
        if limits.processes > 0 { try group.write("\(limits.processes)", to: "pids.max") }
        if limits.cpuPercent > 0 {
            try group.write("\(quota(limits.cpuPercent)) \(period)", to: "cpu.max")
        }
    }

    /// Sets the v1 memory limit, and that of memory and swap together where it is counted.
    static func applyMemory(
        _ limits: PlanLimits, to group: CgroupDirectory
    ) throws(CgroupError) {
        guard limits.memoryBytes > 0 else { return }
        try group.write("\(limits.memoryBytes)", to: "memory.limit_in_bytes")
        try group.writeIfPresent("\(limits.memoryBytes)", to: "memory.memsw.limit_in_bytes")
    }

    /// Sets the v1 pids limit.
    static func applyProcesses(
        _ limits: PlanLimits, to group: CgroupDirectory
    ) throws(CgroupError) {
        if limits.processes > 0 { try group.write("\(limits.processes)", to: "pids.max") }
    }

    /// Sets the v1 cpu bandwidth, never above `ceiling` percent (v1 refuses a child above its
    /// parent); a ceiling of 0 is none.
    static func applyProcessor(
        _ limits: PlanLimits, ceiling: UInt32 = 0, to group: CgroupDirectory
    ) throws(CgroupError) {
        guard limits.cpuPercent > 0 else { return }
        let percent = ceiling > 0 ? min(limits.cpuPercent, ceiling) : limits.cpuPercent
        try group.write("\(period)", to: "cpu.cfs_period_us")
        try group.write("\(quota(percent))", to: "cpu.cfs_quota_us")
    }

    private static func quota(_ percent: UInt32) -> UInt64 {
        // The kernel refuses a quota below 1 ms.
        max(UInt64(percent) * period / 100, 1000)
    }
}
