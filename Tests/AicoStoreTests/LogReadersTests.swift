// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import GRDB
import Glibc
import Testing

@testable import AicoStore

@Suite struct LogReadersTests {
    private static let file = LogReaders.File(major: 8, minor: 0x1F, inode: 131_085)

    @Test(
        arguments: [
            ("1: POSIX  ADVISORY  READ 4711 08:1f:131085 124 124", [4711]),
            (
                "1: POSIX  ADVISORY  READ 4711 08:1f:131085 123 127\n2: POSIX  ADVISORY  READ 9 "
                    + "08:1f:131085 126 126\n3: POSIX  ADVISORY  READ 9 08:1f:131085 127 127",
                [9, 4711]
            ),
            ("1: POSIX  ADVISORY  READ 4711 08:1f:131085 0 EOF", [4711]),
            // A connection without a read, a writer, a checkpoint, one who waits, another file.
            ("1: POSIX  ADVISORY  READ 4711 08:1f:131085 128 128", []),
            ("1: POSIX  ADVISORY  WRITE 4711 08:1f:131085 120 120", []),
            ("1: POSIX  ADVISORY  READ 4711 08:1f:131085 121 122", []),
            ("1: -> POSIX  ADVISORY  READ 4711 08:1f:131085 124 124", []),
            ("1: POSIX  ADVISORY  READ 4711 08:1e:131085 124 124", []),
            ("1: POSIX  ADVISORY  READ 4711 08:1f:131086 124 124", []),
            // Of another pid namespace, or of an open file description.
            ("1: POSIX  ADVISORY  READ 0 08:1f:131085 124 124", []),
            ("1: OFDLCK ADVISORY  READ -1 08:1f:131085 124 124", []), ("", []), ("nonsense", []),
        ] as [(String, [Int32])])
    func processesAreThoseWithAReadersLock(table: String, expected: [Int32]) {
        #expect(LogReaders.processes(in: table, file: Self.file) == expected)
    }

    /// The kernel's own table, while a connection of this process reads and when it does not.
    @Test func readerOfARealDatabaseIsSeenUntilItEnds() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.perform([.createTask(try Fixture.task())])
        #expect(LogReaders.names(beside: scratch.database) == [])
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: scratch.database, configuration: configuration)
        try reader.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM scheduled_tasks")
        }
        #expect(LogReaders.names(beside: scratch.database) == ["the scheduler itself"])
        try reader.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        #expect(LogReaders.names(beside: scratch.database) == [])
        // To have looked must not have dropped the locks of the store's own connection.
        try store.perform([.createTask(try Fixture.task("user.two"))])
        #expect(try store.count("scheduled_tasks") == 2)
    }

    @Test func aDatabaseThatIsNotThereHasNone() {
        #expect(LogReaders.names(beside: "/no/such/aico.db") == [])
    }
}
