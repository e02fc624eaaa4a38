// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import TimeZones

/// Answers questions on schedules line for line; a bad line gets its error and harms nothing.
struct ScheduleAnswers {
    /// The longest line that is read, in bytes.
    static let maximumLine = 64 * 1024
    /// How much output may gather before it is handed on.
    private static let highWater = 256 * 1024
    /// How many parsed schedules and zones are kept.
    private static let maximumKept = 4096

    private let now: () -> Instant
    private let flush: (inout [UInt8]) throws(Failure) -> Void
    private var schedules: [String: Result<Schedule, ScheduleError>] = [:]
    private var zones: [String: Result<ZoneRules, TimeZoneError>] = [:]
    private var writer = InstantWriter()
    private var output: [UInt8] = []
    private var pending: [UInt8] = []
    private var isSkipping = false

    /// `flush` takes the bytes and leaves them empty.
    init(now: @escaping () -> Instant, flush: @escaping (inout [UInt8]) throws(Failure) -> Void) {
        self.now = now
        self.flush = flush
        output.reserveCapacity(Self.highWater + 4096)
    }

    /// Takes the next bytes of the input, whole lines or not, and answers what is complete.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var start = 0
        while start < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            guard let length = rest.firstIndex(of: 0x0A) else {
                if !isSkipping { pending.append(contentsOf: rest) }
                if pending.count > Self.maximumLine { skip() }
                break
            }
            start += length + 1
            if isSkipping {
                isSkipping = false
                continue
            }
            pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<length]))
            try answer()
        }
        // Whoever waits for the answers to what was written gets them now.
        try flush(&output)
    }

    /// Answers a last line without an end.
    mutating func finish() throws(Failure) {
        if !pending.isEmpty { try answer() }
        try flush(&output)
    }

    private mutating func skip() {
        pending.removeAll()
        isSkipping = true
        write(error: "the line is longer than \(Self.maximumLine) bytes")
    }

    private mutating func answer() throws(Failure) {
        defer { pending.removeAll(keepingCapacity: true) }
        guard pending.count <= Self.maximumLine else {
            return write(error: "the line is longer than \(Self.maximumLine) bytes")
        }
        let question: ScheduleQuestion
        do {
            question = try ScheduleQuestion(pending)
        } catch {
            return write(error: error.reason)
        }
        switch (schedule(question.expression), zone(question.zone)) {
        case (.failure(let error), _): write(error: error.description)
        case (_, .failure(let error)): write(error: error.description)
        case (.success(let schedule), .success(let zone)):
            try write(schedule, question, in: zone)
        }
        if output.count >= Self.highWater { try flush(&output) }
    }

    private mutating func write(
        _ schedule: Schedule, _ question: ScheduleQuestion, in zone: ZoneRules
    ) throws(Failure) {
        output.append(contentsOf: Self.opening)
        let after = question.after ?? now()
        var times = schedule.times(after: after, in: zone, created: after)
        for index in 0..<question.count {
            guard let instant = times.next() else { break }
            if index > 0 { output.append(0x2C) }
            writer.write(instant, to: &output)
            if output.count >= Self.highWater { try flush(&output) }
        }
        output.append(contentsOf: Self.closing)
    }

    private static let opening = Array("{\"next\":[".utf8)
    private static let closing = Array("]}\n".utf8)

    private mutating func write(error: String) {
        let document: JSONValue = ["error": .string(error)]
        output.append(contentsOf: PlainText(json: document).text.utf8)
        output.append(0x0A)
    }

    private mutating func schedule(_ text: String) -> Result<Schedule, ScheduleError> {
        if let known = schedules[text] { return known }
        if schedules.count >= Self.maximumKept { schedules.removeAll() }
        let result = Result { () throws(ScheduleError) in try Schedule.parse(text) }
        schedules[text] = result
        return result
    }

    private mutating func zone(_ name: String) -> Result<ZoneRules, TimeZoneError> {
        if let known = zones[name] { return known }
        if zones.count >= Self.maximumKept { zones.removeAll() }
        let result = Result { () throws(TimeZoneError) in try TimeZoneStore.load(name) }
        zones[name] = result
        return result
    }
}
