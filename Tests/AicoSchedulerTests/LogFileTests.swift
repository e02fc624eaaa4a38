// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import Testing

@testable import AicoScheduler

/// The scheduler's log file, and what others do to it meanwhile.
@Suite struct LogFileTests {
    let directory: URL
    private var path: String { directory.path + "/scheduler.log" }

    init() throws {
        directory = FileManager.default.temporaryDirectory
            .appending(path: "aico-log-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    private func text(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }

    private func done() { try? FileManager.default.removeItem(at: directory) }

    @Test func aFileThatWasMovedAwayIsMadeAnew() throws {
        defer { done() }
        let log = LogFile(path: path, maximumBytes: 1000, kept: 2)
        log.write("one")
        try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
        log.write("two")
        #expect(text(path + ".old") == "one\n")
        #expect(text(path) == "two\n")
    }

    @Test func aFileThatWasRemovedOrReplacedIsOpenedAnew() throws {
        defer { done() }
        let log = LogFile(path: path, maximumBytes: 1000, kept: 2)
        log.write("one")
        try FileManager.default.removeItem(atPath: path)
        log.write("two")
        #expect(text(path) == "two\n")
        try "theirs\n".write(toFile: path, atomically: true, encoding: .utf8)
        log.write("three")
        #expect(text(path) == "theirs\nthree\n")
    }

    @Test func itsSizeIsThatOfTheFileThatStandsThere() throws {
        defer { done() }
        let log = LogFile(path: path, maximumBytes: 10, kept: 2)
        log.write("12345")
        try "123456789\n".write(toFile: path, atomically: true, encoding: .utf8)
        log.write("next")
        #expect(text(path + ".1") == "123456789\n")
        #expect(text(path) == "next\n")
    }

    @Test func atItsSizeItRotatesAndKeepsSoMany() {
        defer { done() }
        let log = LogFile(path: path, maximumBytes: 5, kept: 2)
        for number in 1...5 { log.write("no \(number)") }
        #expect(text(path) == "no 5\n")
        #expect(text(path + ".1") == "no 4\n")
        #expect(text(path + ".2") == "no 3\n")
        #expect(text(path + ".3") == nil)
    }
}
