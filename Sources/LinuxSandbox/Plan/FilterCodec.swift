// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The fixed binary form of a filter that is in no plan: magic, version, then as a plan has it.
package enum FilterCodec {
    static let magic: [UInt8] = Array("AICOFLTR".utf8)
    static let version: UInt16 = 1

    /// Encodes a filter of 1 to 4096 instructions.
    package static func encode(_ filter: [FilterInstruction]) -> [UInt8] {
        var writer = PlanWriter()
        writer.bytes = magic
        writer.put(version)
        writer.putList(filter) { $0.put($1) }
        return writer.bytes
    }

    /// Decodes a filter.
    ///
    /// - Throws: where the bytes are not exactly what `encode` writes.
    package static func decode(_ bytes: [UInt8]) throws(PlanError) -> [FilterInstruction] {
        var reader = PlanReader(bytes: bytes)
        try reader.expect(magic, field: "magic")
        guard try reader.word(UInt16.self, field: "version") == version else {
            throw PlanError(field: "version", offset: magic.count)
        }
        let filter = try reader.filter(field: "filter")
        guard reader.offset == bytes.count else {
            throw PlanError(field: "end", offset: reader.offset)
        }
        return filter
    }
}
