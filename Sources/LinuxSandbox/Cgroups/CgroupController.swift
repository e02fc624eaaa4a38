// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A cgroup controller and its limit: one row of the table from which trees and their order, files,
/// fields of a plan, keys of a profile and root's ceiling of them are derived.
package struct CgroupController: Sendable {
    /// What it is called on v2 and in messages.
    package let name: String
    /// Its tree on v1.
    let tree: String
    /// Whether a v2 tree without it is refused; a v1 tree of each attempt's controller is needed.
    let isNeeded: Bool
    /// The key of its limit in a profile.
    package let key: String
    /// Its limit in words.
    package let noun: String
    /// What a profile may say.
    package let range: ClosedRange<UInt64>
    /// How much one of it is in a plan.
    package let unit: UInt64
    /// Whether a profile may leave its limit out, and a host lack its files.
    package let isOptional: Bool
    /// Where a plan has it.
    package let limit: any WritableKeyPath<PlanLimits, UInt64> & Sendable
    private let onUnified: @Sendable (_ value: UInt64, _ isLeaf: Bool) -> [CgroupSetting]
    private let onHybrid: @Sendable (_ value: UInt64) -> [CgroupSetting]

    init(
        _ name: String, tree: String, isNeeded: Bool, key: String, noun: String,
        range: ClosedRange<UInt64>, unit: UInt64 = 1, isOptional: Bool = false,
        limit: any WritableKeyPath<PlanLimits, UInt64> & Sendable,
        onUnified: @escaping @Sendable (_ value: UInt64, _ isLeaf: Bool) -> [CgroupSetting],
        onHybrid: @escaping @Sendable (_ value: UInt64) -> [CgroupSetting]
    ) {
        self.name = name
        self.tree = tree
        self.isNeeded = isNeeded
        self.key = key
        self.noun = noun
        self.range = range
        self.unit = unit
        self.isOptional = isOptional
        self.limit = limit
        self.onUnified = onUnified
        self.onHybrid = onHybrid
    }

    /// The most and the least of a plan, whatever a profile said.
    package var ceiling: ClosedRange<UInt64> {
        (isOptional ? 0 : 1)...(range.upperBound * unit)
    }

    /// What a plan's limit is in the files of a cgroup; nothing for 0, which leaves the kernel's
    /// default.
    ///
    /// - Parameter isLeaf: whether an OOM kill is to take all that is in it.
    package func settings(
        _ limits: PlanLimits, on kind: CgroupKind, isLeaf: Bool = false
    ) -> [CgroupSetting] {
        let value = limits[keyPath: limit]
        if value == 0 { return [] }
        return switch kind {
        case .unified: onUnified(value, isLeaf)
        case .hybrid: onHybrid(value)
        }
    }

    /// Sets a plan's limit; one that cannot be written is an error.
    func apply(
        _ limits: PlanLimits, to group: CgroupDirectory, on kind: CgroupKind, isLeaf: Bool = false
    ) throws(CgroupError) {
        for setting in settings(limits, on: kind, isLeaf: isLeaf) {
            if setting.isOptional || isOptional {
                try group.writeIfPresent(setting.text, to: setting.file)
            } else {
                try group.write(setting.text, to: setting.file)
            }
        }
    }
}

/// What is written to one control file.
package struct CgroupSetting: Sendable, Equatable {
    package var file: String
    package var text: String
    /// Whether a kernel may lack the file.
    package var isOptional: Bool

    init(_ file: String, _ text: String, isOptional: Bool = false) {
        self.file = file
        self.text = text
        self.isOptional = isOptional
    }
}
