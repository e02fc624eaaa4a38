// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// An event: two frames, topic and `{"v":1,"seq","data"}`.
///
/// `sequence` counts all that one scheduler publishes, so that a subscriber to everything can see
/// a loss. When a subscription arrives, the scheduler publishes `subscribed(prefix:)` on its
/// prefix: the subscriber knows then that it misses nothing from there on.
package struct BusEvent: Sendable, Equatable {
    /// A `BusEventTopic`, or the prefix of a subscription.
    package var topic: String
    /// The scheduler's count of events.
    package var sequence: Int
    /// What happened.
    package var data: JSONValue

    package init(topic: String, sequence: Int, data: JSONValue) {
        self.topic = topic
        self.sequence = sequence
        self.data = data
    }

    /// The notice that a subscription is in force.
    package static func subscribed(prefix: String, sequence: Int) -> BusEvent {
        BusEvent(topic: prefix, sequence: sequence, data: ["subscribed": .string(prefix)])
    }

    /// The prefix, if this is the notice that its subscription is in force.
    package var subscribedPrefix: String? {
        guard let prefix = data["subscribed"]?.string, prefix == topic else { return nil }
        return prefix
    }

    /// Gives the two frames.
    package var frames: [[UInt8]] {
        let document: JSONValue = [
            "v": .int(busProtocolVersion), "seq": .int(sequence), "data": data,
        ]
        return [Array(topic.utf8), document.serialized()]
    }

    /// Reads two frames.
    package init(frames: [[UInt8]]) throws(BusMessageError) {
        let (topic, members) = try BusFrames.read(
            frames, maximumBytes: BusLimits.maximumReplyBytes, quotesTasks: true)
        guard members["v"]?.int == busProtocolVersion, let sequence = members["seq"]?.int else {
            throw BusMessageError(code: .malformed, reason: "the event lacks \"v\" or \"seq\"")
        }
        // A count: who reads it asks for the next one.
        guard 0..<Int.max ~= sequence else {
            throw BusMessageError(code: .malformed, reason: "\"seq\" counts no events")
        }
        self.init(topic: topic, sequence: sequence, data: members["data"] ?? .null)
    }

    /// Reads the prefix of a subscription that an XPUB socket received; nil for the end of one,
    /// and for a prefix that no notice shall be published on.
    package static func subscription(_ frames: [[UInt8]]) -> String? {
        guard frames.count == 1, let frame = frames.first, frame.first == 1,
            frame.count <= BusTopic.maximumLength + 1,
            let prefix = String(validating: frame.dropFirst(), as: UTF8.self),
            prefix.utf8.starts(with: BusEventTopic.prefix.utf8)
        else { return nil }
        return prefix
    }
}

/// What the three messages share.
enum BusFrames {
    static func read(
        _ frames: [[UInt8]], maximumBytes: Int = BusLimits.maximumRequestBytes,
        quotesTasks: Bool = false
    ) throws(BusMessageError) -> (topic: String, members: [String: JSONValue]) {
        guard frames.count == 2 else {
            throw BusMessageError(
                code: .malformed, reason: "has \(frames.count) frames, must have two")
        }
        guard frames[0].count <= BusTopic.maximumLength,
            let topic = String(validating: frames[0], as: UTF8.self)
        else { throw BusMessageError(code: .malformed, reason: "the topic is no short text") }
        guard frames[1].count <= maximumBytes else {
            throw BusMessageError(
                topic: topic, code: .tooLarge,
                reason: "has \(frames[1].count) bytes, limit \(maximumBytes)")
        }
        let document: JSONValue
        do {
            document = try JSONValue.parse(
                frames[1], maximumBytes: maximumBytes, quotesTasks: quotesTasks)
        } catch {
            throw BusMessageError(topic: topic, code: .malformed, reason: error.description)
        }
        guard let members = document.object else {
            throw BusMessageError(
                topic: topic, code: .malformed, reason: "the second frame is no object")
        }
        return (topic, members)
    }
}
