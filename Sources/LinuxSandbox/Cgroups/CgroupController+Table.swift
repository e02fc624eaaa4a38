// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension CgroupController {
    /// Those of which each attempt has a cgroup, in the order of the descriptors that a worker has
    /// of their v1 trees.
    package static let ofAttempts = [
        memory, processes,
        CgroupController(
            "cpu", tree: "cpu", isNeeded: false, key: "cpu_percent", noun: "cpu",
            range: 1...102_400, limit: \.cpuPercent,
            onUnified: { percent, _ in [CgroupSetting("cpu.max", "\(quota(percent)) \(period)")] },
            onHybrid: { percent in
                [
                    CgroupSetting("cpu.cfs_period_us", "\(period)"),
                    CgroupSetting("cpu.cfs_quota_us", "\(quota(percent))"),
                ]
            }),
    ]

    /// Those of which a class has one cgroup: its attempts share what the worker was started in,
    /// and no step of theirs takes longer for it.
    package static let ofClasses = [
        // Each file is there with one way of weighing: the kernel's model of costs, BFQ, and on v1
        // CFQ before it.
        CgroupController(
            "io", tree: "blkio", isNeeded: false, key: "io_weight", noun: "io weight",
            range: 1...1000, isOptional: true, limit: \.ioWeight,
            onUnified: { weight, _ in
                [
                    CgroupSetting("io.weight", "default \(weight)"),
                    CgroupSetting("io.bfq.weight", "\(weight)"),
                ]
            },
            onHybrid: { weight in
                [
                    CgroupSetting("blkio.bfq.weight", "\(weight)"),
                    CgroupSetting("blkio.weight", "\(max(weight, 10))"),
                ]
            })
    ]

    /// The whole table.
    package static let all = ofAttempts + ofClasses

    static let memory = CgroupController(
        "memory", tree: "memory", isNeeded: true, key: "memory_mb", noun: "memory",
        range: 8...1_048_576, unit: 1 << 20, limit: \.memoryBytes,
        onUnified: { bytes, isLeaf in
            [
                CgroupSetting("memory.max", "\(bytes)"),
                // Without it a memory bomb fills the swap first.
                CgroupSetting("memory.swap.max", "0", isOptional: true),
            ] + (isLeaf ? [CgroupSetting("memory.oom.group", "1")] : [])
        },
        onHybrid: { bytes in
            [
                CgroupSetting("memory.limit_in_bytes", "\(bytes)"),
                // Of memory and swap together, where it is counted.
                CgroupSetting("memory.memsw.limit_in_bytes", "\(bytes)", isOptional: true),
            ]
        })

    static let processes = CgroupController(
        "pids", tree: "pids", isNeeded: true, key: "processes", noun: "processes",
        range: 1...32_768, limit: \.processes,
        onUnified: { count, _ in [CgroupSetting("pids.max", "\(count)")] },
        onHybrid: { count in [CgroupSetting("pids.max", "\(count)")] })

    /// The place of an attempt's controller among the trees of a hybrid host.
    static func position(of controller: CgroupController) -> Int {
        guard let index = ofAttempts.firstIndex(where: { $0.name == controller.name }) else {
            preconditionFailure("attempts have no cgroup of '\(controller.name)'")
        }
        return index
    }

    /// The bandwidth period, as the kernel's default.
    private static let period: UInt64 = 100_000

    /// The kernel refuses a quota below 1 ms.
    private static func quota(_ percent: UInt64) -> UInt64 { max(percent * period / 100, 1000) }
}
