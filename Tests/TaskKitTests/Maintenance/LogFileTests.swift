// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Glibc
import TaskKit
import Testing

@testable import MaintenanceTasks

@Suite struct LogFileTests {
    static let now = Int(time(nil))
    static func daysAgo(_ days: Int) -> Int { now - days * 86_400 }

    private static func clean(
        _ scratch: StoreScratch, days: Int = 30, limit: Int64 = .max, dryRun: Bool = false,
        recorder: TaskRecorder = TaskRecorder()
    ) throws -> FileTally {
        try LogFiles(
            root: scratch.logs, context: recorder.context(), dryRun: dryRun,
            settledBefore: Int64(now - 300)
        ).remove(before: Int64(daysAgo(days)), beyond: limit)
    }

    @Test(arguments: [
        "x.log.1", "x.log.12.gz", "x.log.gz", "x.log.zst", "x.log-20250115",
        "x.log-2025-01-15T03:00:00Z", "x.log.20250115.xz", "x-20250115.log",
        "x.2025-01-15.log", "x.log.old", "a.b.log.3",
    ])
    func namesOfRotatedFiles(name: String) {
        #expect(RotatedName.isRotated(name))
    }

    @Test(arguments: [
        "x.log", ".log.1", "x", "", "x.txt", "x.1", "x.gz", "aico.db", "x.log.new", "log.1",
        "x.log.", "x.log-", "x.log-new", "x.log.1.tmp", "20250115.log", "x-99.log",
        "x.login.1", "x-2025-1-15.log", "..log.1",
    ])
    func namesOfFilesThatMayBeInUse(name: String) {
        #expect(!RotatedName.isRotated(name))
    }

    @Test func oldRotatedFilesGoAndNothingElse() throws {
        let scratch = try StoreScratch()
        for name in ["a.log", "a.log.1", "a.log.2.gz", "notes.txt"] {
            try scratch.write("logs/\(name)", "12345", modified: Self.daysAgo(31))
        }
        try scratch.write("logs/b.log.1", "12345", modified: Self.daysAgo(29))
        #expect(try Self.clean(scratch, dryRun: true) == FileTally(files: 2, bytes: 10))
        #expect(scratch.exists("logs/a.log.1"))
        #expect(try Self.clean(scratch) == FileTally(files: 2, bytes: 10))
        for name in ["a.log", "notes.txt", "b.log.1"] { #expect(scratch.exists("logs/\(name)")) }
        for name in ["a.log.1", "a.log.2.gz"] { #expect(!scratch.exists("logs/\(name)")) }
    }

    @Test func theOldestGoUntilTheRestFits() throws {
        let scratch = try StoreScratch()
        for index in 1...6 {
            try scratch.write(
                "logs/a.log.\(index)", String(repeating: "x", count: 100),
                modified: Self.daysAgo(index))
        }
        #expect(try Self.clean(scratch, limit: 250) == FileTally(files: 4, bytes: 400))
        #expect(scratch.exists("logs/a.log.1"))
        #expect(scratch.exists("logs/a.log.2"))
        #expect(!scratch.exists("logs/a.log.3"))
    }

    /// Files with holes, whose lengths together are in no Int64.
    @Test(.enabled(if: access("/dev/shm", W_OK) == 0, "needs a file system of any length"))
    func lengthsThatNobodyWroteEndNothing() throws {
        let logs = "/dev/shm/aico-logs-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(
            atPath: logs, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: logs) }
        for index in 1...4 {
            let file = "\(logs)/a.log.\(index)"
            close(creat(file, 0o600))
            #expect(truncate(file, Int.max & ~0xFFFF) == 0)
        }
        let files = LogFiles(
            root: logs, context: TaskRecorder().context(), dryRun: false, settledBefore: .max)
        #expect(try files.remove(before: .max, beyond: 0) == FileTally(files: 4, bytes: .max))
    }

    @Test func aFileThatChangedJustNowStaysWhateverTheLimit() throws {
        let scratch = try StoreScratch()
        try scratch.write("logs/a.log.1", "12345", modified: Self.now)
        #expect(try Self.clean(scratch, limit: 0) == FileTally())
        #expect(scratch.exists("logs/a.log.1"))
    }

    @Test func linksAreNeitherFollowedNorRemoved() throws {
        let scratch = try StoreScratch()
        let old = try scratch.write("outside.log.1", "12345", modified: Self.daysAgo(90))
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/elsewhere", withIntermediateDirectories: false)
        try scratch.write("elsewhere/b.log.1", "12345", modified: Self.daysAgo(90))
        #expect(symlink(old, scratch.logs + "/a.log.1") == 0)
        #expect(symlink(scratch.path + "/elsewhere", scratch.logs + "/deeper") == 0)
        #expect(mkfifo(scratch.logs + "/p.log.1", 0o600) == 0)
        #expect(try Self.clean(scratch, limit: 0) == FileTally())
        for name in ["outside.log.1", "elsewhere/b.log.1", "logs/a.log.1", "logs/p.log.1"] {
            #expect(scratch.exists(name))
        }
    }

    @Test func aLinkInPlaceOfTheDirectoryIsRefused() throws {
        let scratch = try StoreScratch()
        try scratch.write("logs/a.log.1", "12345", modified: Self.daysAgo(90))
        #expect(rename(scratch.logs, scratch.path + "/moved") == 0)
        #expect(symlink(scratch.path + "/moved", scratch.logs) == 0)
        #expect(throws: TaskFailure.self) { try Self.clean(scratch) }
        #expect(scratch.exists("moved/a.log.1"))
    }

    @Test func directoriesAreLookedIntoButOnlySoDeep() throws {
        let scratch = try StoreScratch()
        try FileManager.default.createDirectory(
            atPath: scratch.logs + "/1/2/3/4", withIntermediateDirectories: true)
        for directory in ["", "/1", "/1/2", "/1/2/3", "/1/2/3/4"] {
            try scratch.write("logs\(directory)/a.log.1", "12345", modified: Self.daysAgo(90))
        }
        #expect(try Self.clean(scratch).files == 4)
        #expect(scratch.exists("logs/1/2/3/4/a.log.1"))
    }

    @Test func namesWithStrangeBytesDoNoHarm() throws {
        let scratch = try StoreScratch()
        for name in ["a\n.log.1", "-rf.log.1", " .log.1", "ü.log.1"] {
            try scratch.write("logs/\(name)", "12345", modified: Self.daysAgo(90))
        }
        let broken: [UInt8] =
            Array((scratch.logs + "/").utf8) + [0xFF, 0xFE] + Array(".log.1".utf8)
        let made = (broken + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { name in
                name.baseAddress.map { creat($0, 0o600) } ?? -1
            }
        }
        #expect(made >= 0)
        close(made)
        #expect(try Self.clean(scratch).files == 4)
    }

    @Test(.enabled(if: getuid() != 0, "root may remove files from every directory"))
    func aFileThatCannotBeRemovedIsCountedAndNamed() throws {
        let scratch = try StoreScratch()
        try scratch.write("logs/a.log.1", "12345", modified: Self.daysAgo(90))
        #expect(chmod(scratch.logs, 0o500) == 0)
        defer { chmod(scratch.logs, 0o700) }
        let recorder = TaskRecorder()
        #expect(try Self.clean(scratch, recorder: recorder) == FileTally(failures: 1))
        #expect(recorder.lines.contains { $0.text.contains("a.log.1") })
    }
}
