// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB

/// What the database says of its pages.
struct StorePages: Equatable {
    /// Bytes of a page.
    var size: Int
    /// Pages in all.
    var count: Int
    /// Pages that hold nothing.
    var free: Int
    /// Whether free pages can be given back piece by piece.
    var canShrink: Bool

    init(_ db: Database) throws {
        size = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
        count = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
        canShrink = try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") ?? 0 != 0
    }
}
