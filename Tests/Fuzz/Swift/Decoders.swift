// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import LinuxSandbox

@testable import AicoSupervisor
@testable import TaskKit

/// What bytes are given to, and what must hold of what comes out.
enum Decoders {
    /// No two encodings say the same.
    static func plan(_ bytes: [UInt8]) {
        guard let plan = try? PlanCodec.decode(bytes) else { return }
        expect(PlanCodec.encode(plan) == bytes)
    }

    /// What root makes of the system's filters: they are judged, whatever they say.
    static func filter(_ bytes: [UInt8]) {
        guard let filters = try? FilterCodec.decode(bytes) else { return }
        expect(FilterCodec.encode(filters) == bytes)
        _ = try? CheckedFilters.decode(bytes)
    }

    static func supervisor(_ bytes: [UInt8]) {
        guard let message = SupervisorMessage(decoding: bytes) else { return }
        expect(message.encoded() == bytes)
        expect(message.wordsText.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    static func order(_ bytes: [UInt8]) {
        guard let order = try? OrderCodec.decode(bytes) else { return }
        expect(OrderCodec.encode(order) == bytes)
    }

    static func report(_ bytes: [UInt8]) {
        guard let report = try? ReportCodec.decode(bytes) else { return }
        expect(ReportCodec.encode(report) == bytes)
    }

    static func frame(_ bytes: [UInt8]) {
        guard let frame = try? TaskFrameCodec.decode(bytes) else { return }
        expect(TaskFrameCodec.encode(frame) == bytes)
    }

    /// What was read is written so that it is read as the same.
    static func json(_ bytes: [UInt8]) {
        guard let value = try? JSONValue.parse(bytes) else { return }
        for isIndented in [false, true] {
            let written = value.serialized(indented: isIndented)
            let again = try? JSONValue.parse(written, maximumBytes: 1 << 30)
            expect(again == value)
        }
    }

    /// Two frames: the topic up to the first line feed, and what follows.
    static func bus(_ bytes: [UInt8]) {
        let end = bytes.firstIndex(of: 0x0A) ?? bytes.count
        let frames = [Array(bytes[..<end]), Array(bytes[end...].dropFirst())]
        if let request = try? BusRequest(frames: frames) {
            expect((try? BusRequest(frames: request.frames)) == request)
        }
        if let reply = try? BusReply(frames: frames) {
            expect((try? BusReply(frames: reply.frames)) == reply)
        }
        if let event = try? BusEvent(frames: frames) {
            expect((try? BusEvent(frames: event.frames)) == event)
        }
        if let prefix = BusEvent.subscription([bytes]) {
            expect(Array(prefix.utf8) == Array(bytes.dropFirst()))
        }
    }

    /// Ends the process where a decoder does not hold what it promises.
    static func expect(_ holds: Bool, line: UInt = #line) {
        precondition(holds, "what is expected at line \(line) does not hold")
    }
}
