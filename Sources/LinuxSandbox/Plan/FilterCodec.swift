// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The filters of processes that have no plan.
package struct SystemFilters: Sendable, Equatable {
    /// Of the scheduler, from before its exec on.
    package var scheduler: [FilterInstruction]
    /// Of root's keepers of grants.
    package var keeper: [FilterInstruction]

    /// Each of 1 to 4096 instructions.
    package init(scheduler: [FilterInstruction], keeper: [FilterInstruction]) {
        self.scheduler = scheduler
        self.keeper = keeper
    }
}

/// The fixed binary form of filters that are in no plan: magic, version, then each as a plan has it.
package enum FilterCodec {
    static let magic: [UInt8] = Array("AICOFLTR".utf8)
    static let version: UInt16 = 2

    /// Encodes filters.
    package static func encode(_ filters: SystemFilters) -> [UInt8] {
        var writer = PlanWriter()
        writer.bytes = magic
        writer.put(version)
        for filter in [filters.scheduler, filters.keeper] {
            writer.putList(filter) { $0.put($1) }
        }
        return writer.bytes
    }

    /// Decodes filters.
    ///
    /// - Throws: where the bytes are not exactly what `encode` writes.
    package static func decode(_ bytes: [UInt8]) throws(PlanError) -> SystemFilters {
        var reader = PlanReader(bytes: bytes)
        try reader.expect(magic, field: "magic")
        guard try reader.word(UInt16.self, field: "version") == version else {
            throw PlanError(field: "version", offset: magic.count)
        }
        let filters = SystemFilters(
            scheduler: try reader.filter(field: "filter of the scheduler"),
            keeper: try reader.filter(field: "filter of keepers"))
        guard reader.offset == bytes.count else {
            throw PlanError(field: "end", offset: reader.offset)
        }
        return filters
    }
}
