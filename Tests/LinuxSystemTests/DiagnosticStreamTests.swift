// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

@testable import LinuxSystem

/// Standard error that somebody reads slowly, or not at all.
struct DiagnosticStreamTests {
    private func drain(_ descriptor: borrowing Descriptor) throws -> String {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65_536)
        while let count = try? descriptor.read(into: &room), count > 0 { bytes += room[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The writing end is one that waits, as what a shell gives is.
    @Test func aPipeThatNobodyReadsHoldsNobodyAndTheLossIsTold() throws {
        let pipe = try Pipe(isReadingPatient: false)
        let stream = DiagnosticStream(name: "x", number: pipe.writing.number)
        let line = [UInt8](repeating: UInt8(ascii: "a"), count: 99) + [0x0A]
        // 64 KiB is what a pipe holds; without the care this would wait for ever.
        for _ in 0..<2000 { stream.write(line) }
        let first = try drain(pipe.reading)
        #expect(first.utf8.count >= 32_768)
        #expect(first.utf8.count < 200_000)
        stream.write(Array("the end\n".utf8))
        let second = try drain(pipe.reading)
        #expect(second.hasSuffix(" bytes were dropped, as nobody read standard error\nthe end\n"))
        // A short note can find room where a line found none: every loss is told once.
        let lines = (first + second).split(separator: "\n")
        let lost = lines.filter { $0.hasPrefix("x: ") }
            .compactMap { Int($0.split(separator: " ")[1]) }
        let come = lines.filter { $0.hasPrefix("aaa") }.reduce(0) { $0 + $1.utf8.count + 1 }
        #expect(lost.reduce(0, +) + come == 200_000)
        stream.write(Array("more\n".utf8))
        #expect(try drain(pipe.reading) == "more\n")
    }

    @Test func aSocketThatNobodyReadsHoldsNobody() throws {
        var ends: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let ours = Descriptor(owning: ends[0])
        let theirs = Descriptor(owning: ends[1])
        let stream = DiagnosticStream(name: "x", number: ours.number)
        for _ in 0..<20_000 { stream.write([UInt8](repeating: 0x61, count: 100)) }
        theirs.close()
        // A reader that is gone raises no signal.
        stream.write([0x0A])
    }

    @Test func aFileGetsItAll() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            let file = try directory.open("log", flags: O_RDWR | O_CREAT, mode: 0o600)
            let stream = DiagnosticStream(name: "x", number: file.number)
            for _ in 0..<2000 { stream.write([UInt8](repeating: 0x61, count: 100)) }
            #expect(try file.status().size == 200_000)
        }
    }

    @Test func aDescriptorThatIsClosedTakesNothing() {
        DiagnosticStream(name: "x", number: -1).write([0x61])
    }
}
