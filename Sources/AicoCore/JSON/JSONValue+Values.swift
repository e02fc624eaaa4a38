// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension JSONValue {
    /// A duration as a number of seconds, whole where it is.
    public static func seconds(_ duration: Duration) -> JSONValue {
        let microseconds = duration.wholeMicroseconds
        return microseconds % 1_000_000 == 0
            ? .int(Int(microseconds / 1_000_000)) : .double(Double(microseconds) / 1_000_000)
    }

    /// An instant, or null.
    public static func instant(_ instant: Instant?) -> JSONValue {
        instant.map { .string($0.iso8601) } ?? .null
    }

    /// A text, or null.
    public static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// A number, or null.
    public static func count(_ number: UInt64?) -> JSONValue {
        number.map { .int(Int(clamping: $0)) } ?? .null
    }
}
