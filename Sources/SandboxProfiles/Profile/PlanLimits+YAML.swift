// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import StrictYAML

extension PlanLimits {
    /// Reads `limits` or `class_limits`.
    static func read(
        _ value: YAMLValue, _ name: String, isClass: Bool
    ) throws(ProfileError) -> PlanLimits {
        let controllers = isClass ? CgroupController.all : CgroupController.ofAttempts
        let others = isClass ? [] : ["wall_seconds", "open_files", "file_size_mb"]
        let map = try value.mapping(name, keys: controllers.map(\.key) + others)
        func number(_ key: String, _ range: ClosedRange<Int>) throws(ProfileError) -> Int {
            guard let found = map[key] else {
                throw value.failure("key '\(key)' is missing in '\(name)'")
            }
            return try found.integer(key, in: range)
        }
        var limits = PlanLimits()
        for controller in controllers
        where map[controller.key] != nil || !controller.isOptional {
            let range = Int(controller.range.lowerBound)...Int(controller.range.upperBound)
            limits[keyPath: controller.limit] =
                UInt64(try number(controller.key, range)) * controller.unit
        }
        guard !isClass else { return limits }
        limits.wallSeconds = UInt32(try number("wall_seconds", 1...604_800))
        limits.openFiles = UInt32(try number("open_files", 16...65_536))
        limits.fileSizeBytes = UInt64(try number("file_size_mb", 1...1_048_576)) << 20
        return limits
    }
}
