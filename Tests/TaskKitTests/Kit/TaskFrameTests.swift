// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import TaskKit

struct TaskFrameTests {
    struct Hostile: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        var testDescription: String { name }
    }

    static let frames: [TaskFrame] =
        [
            .log(stream: .standardError, line: "väl"), .log(stream: .debug, line: ""),
            .progress(fraction: nil, message: ""), .progress(fraction: 0, message: "m"),
            .progress(fraction: 1, message: "done"), .succeeded(result: Array("{}".utf8)),
            // The scheduler looks at it, and nobody before.
            .succeeded(result: []), .succeeded(result: Array("{".utf8)),
            .succeeded(result: [0xFF]),
            .succeeded(result: Array(repeating: 0x5B, count: 1000)),
            .failed(permanent: true, message: "no"), .failed(permanent: false, message: ""),
            .refused(message: "why"), .programFailed(permanent: true, signal: 0, message: "code 3"),
            .programFailed(permanent: false, signal: 64, message: ""),
        ]
        + [LeftBehind(count: 1, names: []), LeftBehind(count: 300, names: ["sh", "a?b"])]
        .compactMap { $0.map(TaskFrame.leftBehind) }

    @Test(arguments: frames) func frameComesBack(_ frame: TaskFrame) throws {
        #expect(try TaskFrameCodec.decode(TaskFrameCodec.encode(frame)) == frame)
    }

    @Test(arguments: [
        Hostile(name: "empty", bytes: []),
        Hostile(name: "unknown kind", bytes: [0]),
        Hostile(name: "kind beyond", bytes: [7, 0]),
        Hostile(name: "kind further beyond", bytes: [8, 0]),
        Hostile(name: "nothing left behind", bytes: [7, 0, 0, 0, 0]),
        Hostile(name: "left behind without a name", bytes: [7, 2, 0, 0, 0] + Array("sh,".utf8)),
        Hostile(name: "left behind twice", bytes: [7, 2, 0, 0, 0] + Array("sh,sh".utf8)),
        Hostile(name: "more names than left", bytes: [7, 1, 0, 0, 0] + Array("sh,ls".utf8)),
        Hostile(name: "left behind and not clean", bytes: [7, 1, 0, 0, 0, 0x1B]),
        Hostile(
            name: "left behind with a long name",
            bytes: [7, 1, 0, 0, 0] + Array(repeating: 65, count: 16)),
        Hostile(name: "log without stream", bytes: [1]),
        Hostile(name: "log of no stream", bytes: [1, 6]),
        Hostile(name: "log of bad UTF-8", bytes: [1, 0, 0xFF]),
        Hostile(name: "log too long", bytes: [1, 0] + Array(repeating: 65, count: 24 * 1024 + 1)),
        Hostile(name: "progress cut short", bytes: [2, 0, 0, 0, 0, 0, 0, 0, 0]),
        Hostile(name: "progress beyond one", bytes: [2, 1, 0, 0, 0, 0, 0, 0, 0, 0x40]),
        Hostile(name: "progress not a number", bytes: [2, 1, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F]),
        Hostile(name: "progress minus zero", bytes: [2, 1, 0, 0, 0, 0, 0, 0, 0, 0x80]),
        Hostile(name: "fraction that is not there", bytes: [2, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
        Hostile(name: "fraction flag", bytes: [2, 2, 0, 0, 0, 0, 0, 0, 0, 0]),
        Hostile(name: "result too long", bytes: [3] + Array(repeating: 0x20, count: 65_537)),
        Hostile(name: "failure of no kind", bytes: [4]),
        Hostile(name: "failure flag", bytes: [4, 2]),
        Hostile(name: "program's failure without signal", bytes: [6, 1]),
        Hostile(name: "program's failure flag", bytes: [6, 2, 9]),
        Hostile(name: "program's failure by no signal", bytes: [6, 0, 65]),
        Hostile(name: "refusal of bad UTF-8", bytes: [5, 0xC0]),
    ])
    func hostileFrameIsRefused(_ hostile: Hostile) {
        #expect(throws: TaskFrameError.self) { try TaskFrameCodec.decode(hostile.bytes) }
    }

    @Test func longTextIsCutAtACharacterAndSaysSo() throws {
        let frame = TaskFrame.log(stream: .info, line: "x" + String(repeating: "é", count: 20_000))
        guard case .log(_, let line) = try TaskFrameCodec.decode(TaskFrameCodec.encode(frame))
        else {
            Issue.record("a log frame became another")
            return
        }
        #expect(line.utf8.count <= 24 * 1024 && line.utf8.count > 24 * 1024 - 4)
        #expect(line.hasSuffix("é ... [cut: 40001 bytes]") && line.hasPrefix("xé"))
    }

    @Test func randomBytesNeverTrap() {
        var state: UInt64 = 0x5EED
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        for _ in 0..<20_000 {
            var bytes = (0..<Int(next() % 40)).map { _ in UInt8(truncatingIfNeeded: next()) }
            if !bytes.isEmpty { bytes[0] = UInt8(next() % 8) }
            guard let frame = try? TaskFrameCodec.decode(bytes) else { continue }
            #expect(TaskFrameCodec.encode(frame) == bytes)
        }
    }
}
