// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// One line of `aico schedule next --stdin`: `{"expr","tz","after","count"}`.
struct ScheduleQuestion: Equatable {
    /// The most times that one question may ask for.
    static let maximumCount = 1_000_000

    var expression = ""
    var zone = "UTC"
    var after: Instant?
    var count = 1

    /// Says what is wrong with a line.
    struct Fault: Error, Equatable {
        let reason: String
    }

    /// Words that people write for a member, and the member; ignored, they would mislead.
    private static let mistaken = [
        "expression": "expr", "schedule": "expr", "cron": "expr", "timezone": "tz", "zone": "tz",
        "from": "after", "since": "after", "start": "after", "limit": "count", "n": "count",
    ]

    init(_ line: [UInt8]) throws(Fault) {
        let json: JSONValue
        do {
            json = try JSONValue.parse(line)
        } catch {
            throw Fault(reason: error.description)
        }
        guard let members = json.object else { throw Fault(reason: "the line is no object") }
        for key in members.keys.sorted() {
            if let meant = Self.mistaken[key] {
                throw Fault(reason: "unknown member \"\(key)\"; write \"\(meant)\"")
            }
        }
        guard let expression = members["expr"]?.string else {
            throw Fault(reason: "\"expr\" must be a string, as in {\"expr\":\"0 2 * * *\"}")
        }
        self.expression = expression
        if let value = members["tz"], !value.isNull {
            guard let name = value.string else { throw Fault(reason: "\"tz\" must be a string") }
            zone = name
        }
        if let value = members["after"], !value.isNull {
            guard let text = value.string, let instant = Instant(iso8601: text) else {
                throw Fault(
                    reason: "\"after\" must be an instant; write \"2025-01-15T10:00:00Z\"")
            }
            after = instant
        }
        if let value = members["count"], !value.isNull {
            guard let number = value.int, (0...Self.maximumCount).contains(number) else {
                throw Fault(
                    reason: "\"count\" must be a whole number from 0 to \(Self.maximumCount)")
            }
            count = number
        }
    }
}
