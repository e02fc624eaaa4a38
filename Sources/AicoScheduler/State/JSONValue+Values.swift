// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

extension JSONValue {
    /// Puts the members of `other` over this object's, objects inside each other too; null
    /// removes (RFC 7396).
    func merged(with other: JSONValue) -> JSONValue {
        guard let patch = other.object else { return other }
        var members = object ?? [:]
        for (key, value) in patch {
            if value.isNull {
                members[key] = nil
            } else if value.object != nil {
                members[key] = (members[key] ?? [:]).merged(with: value)
            } else {
                members[key] = value
            }
        }
        return .object(members)
    }

    /// A duration as a number of seconds, whole where it is.
    static func seconds(_ duration: Duration) -> JSONValue {
        let microseconds = duration.wholeMicroseconds
        return microseconds % 1_000_000 == 0
            ? .int(Int(microseconds / 1_000_000)) : .double(Double(microseconds) / 1_000_000)
    }

    /// An instant, or null.
    static func instant(_ instant: Instant?) -> JSONValue {
        instant.map { .string($0.iso8601) } ?? .null
    }

    /// A text, or null.
    static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// A number, or null.
    static func count(_ number: UInt64?) -> JSONValue {
        number.map { .int(Int(clamping: $0)) } ?? .null
    }
}
