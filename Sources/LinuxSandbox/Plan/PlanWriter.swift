// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Appends the fields of a plan.
struct PlanWriter {
    var bytes: [UInt8] = []

    mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ text: String) {
        let encoded = Array(text.utf8)
        precondition(encoded.count <= PlanReader.maximumText, "a path of a plan is too long")
        put(UInt16(encoded.count))
        bytes.append(contentsOf: encoded)
    }

    mutating func putList<T>(_ list: [T], _ element: (inout PlanWriter, T) -> Void) {
        put(UInt16(list.count))
        for value in list { element(&self, value) }
    }

    mutating func put(_ mount: PlanMount) {
        put(mount.kind.rawValue)
        put(UInt8(mount.ifExists ? 1 : 0))
        put(UInt8(mount.isLate ? 1 : 0))
        put(mount.sizeBytes)
        put(mount.source)
        put(mount.target)
    }

    mutating func put(_ rule: LandlockRule) {
        put(rule.access.rawValue)
        put(UInt8(rule.ifExists ? 1 : 0))
        put(rule.path)
    }

    mutating func put(_ limits: PlanLimits) {
        for controller in CgroupController.all { put(limits[keyPath: controller.limit]) }
        put(limits.wallSeconds)
        put(limits.openFiles)
        put(limits.fileSizeBytes)
    }

    mutating func put(_ instruction: FilterInstruction) {
        put(instruction.code)
        put(instruction.jumpTrue)
        put(instruction.jumpFalse)
        put(instruction.constant)
    }
}
