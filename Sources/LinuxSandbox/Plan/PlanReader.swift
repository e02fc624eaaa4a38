// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux

/// Reads the fields of a plan, trusting none of them.
struct PlanReader {
    static let maximumText = 1024

    let bytes: [UInt8]
    private(set) var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    func failure(_ field: String) -> PlanError { PlanError(field: field, offset: offset) }

    mutating func expect(_ expected: [UInt8], field: String) throws(PlanError) {
        guard bytes.count - offset >= expected.count,
            bytes[offset..<offset + expected.count].elementsEqual(expected)
        else { throw failure(field) }
        offset += expected.count
    }

    mutating func word<T: FixedWidthInteger>(
        _: T.Type, field: String
    ) throws(PlanError) -> T {
        let size = T.bitWidth / 8
        guard bytes.count - offset >= size else { throw failure(field) }
        var value: T = 0
        for index in 0..<size {
            value |= T(truncatingIfNeeded: bytes[offset + index]) << T(8 * index)
        }
        offset += size
        return value
    }

    mutating func flag(field: String) throws(PlanError) -> Bool {
        switch try word(UInt8.self, field: field) {
        case 0: return false
        case 1: return true
        default: throw failure(field)
        }
    }

    /// A uid or gid: neither root's nor the one that means "unchanged".
    mutating func identity(field: String) throws(PlanError) -> UInt32 {
        let value = try word(UInt32.self, field: field)
        guard value != 0, value != .max else { throw failure(field) }
        return value
    }

    mutating func text(field: String) throws(PlanError) -> String {
        let count = Int(try word(UInt16.self, field: field))
        guard count <= Self.maximumText, bytes.count - offset >= count else {
            throw failure(field)
        }
        let slice = bytes[offset..<offset + count]
        guard !slice.contains(0), let text = String(validating: slice, as: UTF8.self) else {
            throw failure(field)
        }
        offset += count
        return text
    }

    /// An absolute path without empty, `.` or `..` components; "/" is none.
    mutating func path(field: String) throws(PlanError) -> String {
        let path = try text(field: field)
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].isEmpty,
            parts.dropFirst().allSatisfy({
                !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
            })
        else { throw failure(field) }
        return path
    }

    mutating func list<T>(
        _ maximum: Int, field: String,
        element: (inout PlanReader) throws(PlanError) -> T
    ) throws(PlanError) -> [T] {
        let count = Int(try word(UInt16.self, field: field))
        guard count <= maximum else { throw failure(field) }
        var list: [T] = []
        list.reserveCapacity(count)
        for _ in 0..<count { list.append(try element(&self)) }
        return list
    }
}

extension PlanReader {
    mutating func mount() throws(PlanError) -> PlanMount {
        guard let kind = PlanMount.Kind(rawValue: try word(UInt8.self, field: "mount kind")) else {
            throw failure("mount kind")
        }
        let ifExists = try flag(field: "mount condition")
        let isLate = try flag(field: "mount time")
        let size = try word(UInt64.self, field: "mount size")
        let source: String
        switch kind {
        case .bindReadOnly, .bindWritable, .device: source = try path(field: "mount source")
        case .symlink: source = try text(field: "link text")
        case .directory, .temporary, .proc:
            source = try text(field: "mount source")
            guard source.isEmpty else { throw failure("mount source") }
        }
        let target = try path(field: "mount target")
        return PlanMount(
            kind: kind, source: source, target: target, ifExists: ifExists, isLate: isLate,
            sizeBytes: size)
    }

    mutating func rule() throws(PlanError) -> LandlockRule {
        let bits = try word(UInt8.self, field: "landlock access")
        guard 1...15 ~= bits else { throw failure("landlock access") }
        let ifExists = try flag(field: "landlock condition")
        // All of the class root can be listed, and nothing else be granted of all of it.
        let isOfRoot = bits == LandlockRule.Access.list.rawValue
        let path = isOfRoot ? try text(field: "landlock path") : try path(field: "landlock path")
        guard !isOfRoot || path == "/" else { throw failure("landlock path") }
        return LandlockRule(
            path: path, access: LandlockRule.Access(rawValue: bits), ifExists: ifExists)
    }

    mutating func limits() throws(PlanError) -> PlanLimits {
        var limits = PlanLimits()
        for controller in CgroupController.all {
            limits[keyPath: controller.limit] = try word(
                UInt64.self, field: "\(controller.noun) limit")
        }
        limits.wallSeconds = try word(UInt32.self, field: "wall limit")
        limits.openFiles = try word(UInt32.self, field: "file limit")
        limits.fileSizeBytes = try word(UInt64.self, field: "file size limit")
        return limits
    }

    /// A filter is there: a plan without one would confine nothing.
    mutating func filter(field: String) throws(PlanError) -> [FilterInstruction] {
        let filter = try list(PlanCodec.maximumFilterInstructions, field: field) {
            (reader) throws(PlanError) in
            FilterInstruction(
                code: try reader.word(UInt16.self, field: field),
                jumpTrue: try reader.word(UInt8.self, field: field),
                jumpFalse: try reader.word(UInt8.self, field: field),
                constant: try reader.word(UInt32.self, field: field))
        }
        guard !filter.isEmpty else { throw failure(field) }
        return filter
    }

    mutating func layers() throws(PlanError) -> Set<Layer> {
        let bits = try word(UInt32.self, field: "optional layers")
        let layers = Set(Layer.allCases.filter { bits & 1 << UInt32($0.rawValue) != 0 })
        guard layers.reduce(UInt32(0), { $0 | 1 << UInt32($1.rawValue) }) == bits else {
            throw failure("optional layers")
        }
        return layers
    }
}
