// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux

/// The fixed binary form of a plan: what `aico-profilec` writes and the privileged side reads.
///
/// Little endian, no padding: magic, version, then the fields in the order of `Plan`. Strings are
/// a UInt16 length and UTF-8 without NUL; lists a UInt16 count and their elements. Every bound is
/// checked before anything is kept, and nothing may follow.
package enum PlanCodec {
    /// The largest encoded plan, in bytes.
    package static let maximumBytes = 1 << 20

    static let magic: [UInt8] = Array("AICOPLAN".utf8)
    static let version: UInt16 = 4
    static let maximumFilterInstructions = 4096
    static let maximumEntries = 64
    static let maximumGroups = 8

    /// Encodes a plan that keeps the bounds of `Plan`.
    package static func encode(_ plan: Plan) -> [UInt8] {
        var writer = PlanWriter()
        writer.bytes = magic
        writer.put(version)
        writer.put(plan.classIndex)
        writer.put(plan.userID)
        writer.put(plan.groupID)
        writer.putList(plan.supplementaryGroups) { $0.put($1) }
        writer.put(UInt8(plan.hasUserNamespace ? 1 : 0))
        writer.put(plan.hostCapabilities)
        writer.putList(plan.mounts) { $0.put($1) }
        writer.putList(plan.landlockRules) { $0.put($1) }
        writer.put(plan.attemptLimits)
        writer.put(plan.classLimits)
        writer.putList(plan.workerFilter) { $0.put($1) }
        writer.putList(plan.taskFilter) { $0.put($1) }
        writer.put(plan.optionalLayers.reduce(UInt32(0)) { $0 | 1 << UInt32($1.rawValue) })
        writer.put(plan.concurrency)
        writer.put(plan.fileMask)
        return writer.bytes
    }

    /// Decodes a plan.
    ///
    /// - Throws: where the bytes are not exactly what `encode` writes for a plan within bounds.
    package static func decode(_ bytes: [UInt8]) throws(PlanError) -> Plan {
        guard bytes.count <= maximumBytes else { throw PlanError(field: "size", offset: 0) }
        var reader = PlanReader(bytes: bytes)
        try reader.expect(magic, field: "magic")
        guard try reader.word(UInt16.self, field: "version") == version else {
            throw PlanError(field: "version", offset: magic.count)
        }
        var plan = Plan()
        plan.classIndex = try reader.word(UInt8.self, field: "class")
        plan.userID = try reader.identity(field: "user")
        plan.groupID = try reader.identity(field: "group")
        plan.supplementaryGroups = try reader.list(maximumGroups, field: "groups") {
            (reader) throws(PlanError) in try reader.identity(field: "group")
        }
        plan.hasUserNamespace = try reader.flag(field: "user namespace")
        plan.hostCapabilities = try reader.word(UInt64.self, field: "capabilities")
        plan.mounts = try reader.list(maximumEntries, field: "mounts") {
            (reader) throws(PlanError) in try reader.mount()
        }
        plan.landlockRules = try reader.list(maximumEntries, field: "landlock rules") {
            (reader) throws(PlanError) in try reader.rule()
        }
        plan.attemptLimits = try reader.limits()
        plan.classLimits = try reader.limits()
        plan.workerFilter = try reader.filter(field: "worker filter")
        plan.taskFilter = try reader.filter(field: "task filter")
        plan.optionalLayers = try reader.layers()
        plan.concurrency = try reader.word(UInt16.self, field: "concurrency")
        guard 1...64 ~= plan.concurrency else {
            throw PlanError(field: "concurrency", offset: reader.offset)
        }
        plan.fileMask = try reader.word(UInt16.self, field: "umask")
        guard plan.fileMask <= 0o777 else {
            throw PlanError(field: "umask", offset: reader.offset)
        }
        guard reader.offset == bytes.count else {
            throw PlanError(field: "end", offset: reader.offset)
        }
        return plan
    }
}

/// Bytes that are no plan.
package struct PlanError: Error, Equatable, CustomStringConvertible {
    /// Which field is wrong, as `mounts`.
    package var field: String
    /// Where reading it stopped, in bytes from the start.
    package var offset: Int

    /// One line, as `cannot read plan: bad mounts at byte 40`.
    package var description: String { "cannot read plan: bad \(field) at byte \(offset)" }
}
