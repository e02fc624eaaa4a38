// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import AicoWire

@Suite struct CodecTests {
    @Test func everyOrderSurvivesTheRoundTrip() throws {
        var generator = SeededGenerator(seed: SeededGenerator.printedSeed("orders"))
        for _ in 0..<200 {
            for order in generator.orders() {
                #expect(try OrderCodec.decode(OrderCodec.encode(order)) == order)
            }
        }
    }

    @Test func everyReportSurvivesTheRoundTrip() throws {
        var generator = SeededGenerator(seed: SeededGenerator.printedSeed("reports"))
        for _ in 0..<20 {
            for report in generator.reports() {
                #expect(try ReportCodec.decode(ReportCodec.encode(report)) == report)
            }
        }
    }

    @Test func everyEndingSurvivesTheRoundTrip() throws {
        var generator = SeededGenerator(seed: SeededGenerator.printedSeed("endings"))
        for ending in generator.endings() {
            #expect(try AttemptExitCodec.decode(AttemptExitCodec.encode(ending)) == ending)
        }
    }

    @Test func everyPrefixOfAFrameIsRefused() {
        var generator = SeededGenerator(seed: 1)
        for order in generator.orders() {
            let frame = OrderCodec.encode(order)
            for count in 0..<frame.count {
                #expect(throws: WireError.self) { try OrderCodec.decode(Array(frame[..<count])) }
            }
        }
        for report in generator.reports().prefix(20) {
            let frame = ReportCodec.encode(report)
            for count in 0..<frame.count {
                #expect(throws: WireError.self) { try ReportCodec.decode(Array(frame[..<count])) }
            }
        }
    }

    @Test func aFollowingByteIsRefused() {
        let frame = OrderCodec.encode(.ping(nonce: 7)) + [0]
        #expect(
            throws: WireError(subject: "order", offset: 10, reason: .trailingBytes(1))
        ) { try OrderCodec.decode(frame) }
    }

    @Test func damagedFramesAreRefusedOrReadAsWrittenAndNeverTrap() {
        var generator = SeededGenerator(seed: SeededGenerator.printedSeed("damaged frames"))
        for _ in 0..<30 {
            for report in generator.reports() {
                var frame = ReportCodec.encode(report)
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    frame[Int.random(in: 0..<frame.count, using: &generator)] =
                        generator.integer()
                }
                // What is accepted says exactly what its bytes say: no two frames, one meaning.
                if let read = try? ReportCodec.decode(frame) {
                    #expect(ReportCodec.encode(read) == frame)
                }
            }
        }
    }

    @Test func noiseIsRefusedOrReadAsWrittenAndNeverTraps() {
        var generator = SeededGenerator(seed: SeededGenerator.printedSeed("noise"))
        for _ in 0..<20_000 {
            let noise = [1, UInt8.random(in: 0...7, using: &generator)] + generator.bytes(upTo: 90)
            if let read = try? OrderCodec.decode(noise) {
                #expect(OrderCodec.encode(read) == noise)
            }
            if let read = try? ReportCodec.decode(noise) {
                #expect(ReportCodec.encode(read) == noise)
            }
            if let read = try? AttemptExitCodec.decode(noise) {
                #expect(AttemptExitCodec.encode(read) == noise)
            }
        }
    }

    @Test func oversizedFramesAreRefusedUnread() {
        let frame = [UInt8](repeating: 1, count: WireLimits.maximumFrameBytes + 1)
        #expect(
            throws: WireError(
                subject: "report", offset: 0,
                reason: .tooLarge(
                    field: "frame", count: frame.count, limit: WireLimits.maximumFrameBytes))
        ) { try ReportCodec.decode(frame) }
    }

    @Test func anAnnouncedLengthIsNotBelieved() {
        var frame = ReportCodec.encode(
            .log(
                attempt: AttemptKey(1), sequence: 0, stream: .info,
                at: Instant(microseconds: 0), line: ""))
        frame.replaceSubrange((frame.count - 4)..., with: [255, 255, 255, 255])
        #expect(
            throws: WireError(
                subject: "report", offset: 23,
                reason: .tooLarge(
                    field: "line", count: 4_294_967_295, limit: WireLimits.maximumStringBytes))
        ) { try ReportCodec.decode(frame) }
    }

    @Test func badUTF8IsRefused() {
        let frame =
            ReportCodec.encode(
                .progress(attempt: AttemptKey(1), sequence: 0, fraction: nil, message: "x")
            ).dropLast() + [0xFF]
        #expect(
            throws: WireError(
                subject: "report", offset: 15, reason: .invalidUTF8(field: "message"))
        ) { try ReportCodec.decode(Array(frame)) }
    }

    @Test func anotherVersionIsRefused() {
        #expect(throws: WireError(subject: "order", offset: 0, reason: .unknownVersion(2))) {
            try OrderCodec.decode([2] + OrderCodec.encode(.ping(nonce: 1)).dropFirst())
        }
    }

    @Test func negativeDurationsAreRefused() {
        var frame = OrderCodec.encode(
            .cancel(attempt: AttemptKey(1), reason: .timeout, grace: .zero))
        frame[frame.count - 1] = 0x80
        #expect(throws: WireError.self) { try OrderCodec.decode(frame) }
    }

    @Test func tooLongConfigsAndResultsAreRefused() {
        var generator = SeededGenerator(seed: 3)
        guard case .run(var run) = generator.orders()[0] else { return }
        run.config = [UInt8](repeating: 0x20, count: AttemptOrder.maximumConfigBytes)
        #expect(throws: Never.self) { try OrderCodec.decode(OrderCodec.encode(.run(run))) }
        run.config.append(0x20)
        #expect(throws: WireError.self) { try OrderCodec.decode(OrderCodec.encode(.run(run))) }
    }

    @Test func longLinesAreCutAtTheEndOfAScalar() throws {
        let owls = String(repeating: "🦉", count: WireLimits.maximumStringBytes)
        let report = Report.log(
            attempt: AttemptKey(1), sequence: 0, stream: .standardOutput,
            at: Instant(microseconds: 0), line: "a" + owls)
        guard case .log(_, _, _, _, let line) = try ReportCodec.decode(ReportCodec.encode(report))
        else {
            Issue.record("another report came back")
            return
        }
        #expect(line.utf8.count == WireLimits.maximumStringBytes - 3)
        #expect(line.hasPrefix("a🦉"))
    }

    @Test func fractionsThatAreNoneAreLeftOut() throws {
        for fraction in [Double.nan, .infinity, -0.1, 1.1] {
            let report = Report.progress(
                attempt: AttemptKey(1), sequence: 0, fraction: fraction, message: "")
            #expect(
                try ReportCodec.decode(ReportCodec.encode(report))
                    == .progress(
                        attempt: AttemptKey(1), sequence: 0, fraction: nil, message: ""))
        }
    }

    @Test func errorsNameMessagePlaceAndReason() {
        let error = WireError(
            subject: "report", offset: 15, reason: .invalidUTF8(field: "message"))
        #expect("\(error)" == "cannot decode report at byte 15: message is not UTF-8")
    }
}

@Suite struct SupervisorMessageTests {
    @Test func everyKindAndWorkerSurvivesTheRoundTrip() {
        for kind in SupervisorMessage.Kind.allCases {
            for worker: UInt8 in [0, 3, 15] {
                let message = SupervisorMessage(
                    kind: kind, worker: worker, argument: -5, processID: .max)
                #expect(SupervisorMessage(decoding: message.encoded()) == message)
            }
        }
    }

    @Test func aFrameOfAnotherLengthIsRefused() {
        let bytes = SupervisorMessage(kind: .status, worker: 3).encoded()
        #expect(SupervisorMessage(decoding: Array(bytes.dropLast())) == nil)
        #expect(SupervisorMessage(decoding: bytes + [0]) == nil)
    }

    @Test func everyBitOutsideOfTheFieldsMustBeZero() {
        let bytes = SupervisorMessage(kind: .launch, worker: 3).encoded()
        for offset in [0, 2, 3] + Array(16..<256) {
            var damaged = bytes
            damaged[offset] ^= 0x10
            #expect(SupervisorMessage(decoding: damaged) == nil, "byte \(offset)")
        }
    }

    @Test(arguments: [0, 1, 223, 224]) func theWordsOfAnExitedWorkerSurvive(count: Int) {
        let words = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let message = SupervisorMessage(kind: .exited, worker: 3, words: words)
        #expect(message.encoded().count == 256)
        #expect(SupervisorMessage(decoding: message.encoded())?.words == words)
    }

    @Test func moreWordsThanFitAreCutAtTheFront() {
        let words = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        var message = SupervisorMessage(kind: .exited, worker: 3, words: words)
        #expect(message.words == Array(words.suffix(224)))
        message.words = words
        #expect(SupervisorMessage(decoding: message.encoded())?.words == Array(words.suffix(224)))
    }

    @Test func onlyAnExitedWorkerHasWords() {
        for kind in SupervisorMessage.Kind.allCases
        where kind != .exited && kind != .launchFailed {
            var message = SupervisorMessage(kind: kind, worker: 3, words: [1])
            #expect(message.words == [])
            message.words = [1]
            #expect(SupervisorMessage(decoding: message.encoded())?.words == [], "\(kind)")
            var bytes = message.encoded()
            (bytes[3], bytes[32]) = (1, 1)
            #expect(SupervisorMessage(decoding: bytes) == nil, "\(kind)")
        }
    }

    @Test func wordsOfAnotherLengthAreRefused() {
        var bytes = SupervisorMessage(kind: .exited, worker: 3, words: [1, 2]).encoded()
        bytes[3] = 1
        #expect(SupervisorMessage(decoding: bytes) == nil, "a byte beyond them")
        bytes[3] = 225
        #expect(SupervisorMessage(decoding: bytes) == nil, "more than there is room for")
    }

    @Test(arguments: [
        ("ok", "ok"), ("", ""), (" \n two\r\nlines\t\u{1B}[31m \n", "two lines [31m"),
        ("a\u{202E}b\u{85}c\u{2028}d", "a b c d"),
    ]) func wordsBecomeOneLineOfText(words: String, text: String) {
        let message = SupervisorMessage(
            kind: .exited, worker: 3, words: Array(words.utf8))
        #expect(message.wordsText == text)
    }

    @Test func aCharacterThatWasCutAtTheFrontIsLeftOut() {
        let words = Array("\u{20AC}uro".utf8.dropFirst())
        let message = SupervisorMessage(kind: .exited, worker: 3, words: words)
        #expect(message.wordsText == "uro")
    }
}
