// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// The version of the bus protocol.
package let busProtocolVersion = 1

/// Says why frames are not a bus message, and which request it answers to where that is known.
package struct BusMessageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The request's id as far as it could be read, else empty.
    package let id: String
    /// The message's topic as far as it could be read, else empty.
    package let topic: String
    /// The kind of fault.
    package let code: BusErrorCode
    /// The fault in words.
    package let reason: String

    package init(id: String = "", topic: String = "", code: BusErrorCode, reason: String) {
        self.id = id
        self.topic = topic
        self.code = code
        self.reason = reason
    }

    /// The error as one sentence.
    package var description: String { "cannot read bus message: \(reason)" }
}

/// A request: two frames, topic and `{"id","v":1,"body":{...}}`.
package struct BusRequest: Sendable, Equatable {
    /// The longest accepted id, in bytes.
    package static let maximumIDLength = 64

    /// Chosen by the client; the reply carries it.
    package var id: String
    /// The protocol version.
    package var version: Int
    /// The topic, which need not be a known one.
    package var topic: String
    /// The parameters, an object.
    package var body: JSONValue

    package init(
        id: String, topic: String, body: JSONValue = [:], version: Int = busProtocolVersion
    ) {
        self.id = id
        self.version = version
        self.topic = topic
        self.body = body
    }

    /// Gives the two frames.
    package var frames: [[UInt8]] {
        let document: JSONValue = ["id": .string(id), "v": .int(version), "body": body]
        return [Array(topic.utf8), document.serialized()]
    }

    /// Reads two frames; a missing body is an empty object, any other member is refused.
    package init(frames: [[UInt8]]) throws(BusMessageError) {
        let (topic, members) = try BusFrames.read(frames)
        guard let id = members["id"]?.string, !id.isEmpty,
            id.utf8.count <= Self.maximumIDLength
        else {
            throw BusMessageError(
                topic: topic, code: .malformed, reason: "\"id\" must be a string of 1 to 64 bytes")
        }
        if let stranger = members.keys.sorted().first(where: { !Self.keys.contains($0) }) {
            throw BusMessageError(
                id: id, topic: topic, code: .malformed,
                reason: "unknown member \"\(stranger.prefix(64))\"")
        }
        guard let version = members["v"]?.int else {
            throw BusMessageError(
                id: id, topic: topic, code: .malformed, reason: "\"v\" must be an integer")
        }
        guard version == busProtocolVersion else {
            throw BusMessageError(
                id: id, topic: topic, code: .unsupportedVersion,
                reason: "version \(version) is not spoken here")
        }
        let body = members["body"] ?? [:]
        guard body.object != nil else {
            throw BusMessageError(
                id: id, topic: topic, code: .malformed, reason: "\"body\" must be an object")
        }
        self.init(id: id, topic: topic, body: body, version: version)
    }

    private static let keys: Set<String> = ["id", "v", "body"]
}

/// A refusal, in the words of a reply.
package struct BusRefusal: Error, Sendable, Equatable {
    /// The kind of refusal, usually a `BusErrorCode`.
    package var code: String
    /// What was refused and why.
    package var message: String
    /// What to do or type next; may be empty.
    package var hint: String

    package init(code: BusErrorCode, message: String, hint: String = "") {
        self.init(code: code.rawValue, message: message, hint: hint)
    }

    package init(code: String, message: String, hint: String) {
        self.code = code
        self.message = message
        self.hint = hint
    }
}

/// A reply: the request's topic, and `{"id","ok":true,"data"}` or
/// `{"id","ok":false,"error":{"code","message","hint"}}`.
package struct BusReply: Sendable, Equatable {
    /// The request's id; empty where it could not be read.
    package var id: String
    /// The request's topic; empty where it could not be read.
    package var topic: String
    /// The data, or why there is none.
    package var outcome: Result<JSONValue, BusRefusal>

    package init(id: String, topic: String, outcome: Result<JSONValue, BusRefusal>) {
        self.id = id
        self.topic = topic
        self.outcome = outcome
    }

    /// Gives the two frames.
    package var frames: [[UInt8]] {
        let document: JSONValue
        switch outcome {
        case .success(let data):
            document = ["id": .string(id), "ok": true, "data": data]
        case .failure(let refusal):
            document = [
                "id": .string(id), "ok": false,
                "error": [
                    "code": .string(refusal.code), "message": .string(refusal.message),
                    "hint": .string(refusal.hint),
                ],
            ]
        }
        return [Array(topic.utf8), document.serialized()]
    }

    /// Reads two frames of at most `maximumBytes` each.
    package init(
        frames: [[UInt8]], maximumBytes: Int = BusLimits.maximumReplyBytes
    ) throws(BusMessageError) {
        let (topic, members) = try BusFrames.read(
            frames, maximumBytes: maximumBytes, quotesTasks: true)
        guard let id = members["id"]?.string, let ok = members["ok"]?.bool else {
            throw BusMessageError(code: .malformed, reason: "the reply lacks \"id\" or \"ok\"")
        }
        self.init(id: id, topic: topic, outcome: .success(members["data"] ?? .null))
        guard !ok else { return }
        guard let error = members["error"], let code = error["code"]?.string,
            let message = error["message"]?.string
        else {
            throw BusMessageError(id: id, code: .malformed, reason: "\"error\" lacks its parts")
        }
        outcome = .failure(
            BusRefusal(code: code, message: message, hint: error["hint"]?.string ?? ""))
    }
}

/// Bounds of bus messages.
package enum BusLimits {
    /// The longest request that is served; a longer one gets an error reply.
    package static let maximumRequestBytes = 256 * 1024
    /// The longest reply or event; a client's socket lets no longer frame in.
    package static let maximumReplyBytes = 8 * 1024 * 1024
}
