// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A moment of the wall clock: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
public struct Instant: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Microseconds since the epoch.
    public var microseconds: Int64

    /// Makes an instant from microseconds since the epoch.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Makes an instant from whole seconds since the epoch.
    public init(seconds: Int64) { microseconds = seconds * 1_000_000 }

    /// Makes an instant from the time since the epoch; parts of a microsecond are cut.
    public init(sinceEpoch time: Duration) {
        let (seconds, attoseconds) = time.components
        microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }

    /// Whole seconds since the epoch, rounded down.
    public var seconds: Int64 {
        let quotient = microseconds / 1_000_000
        return microseconds % 1_000_000 < 0 ? quotient - 1 : quotient
    }

    /// Orders instants, the earlier first.
    public static func < (left: Instant, right: Instant) -> Bool {
        left.microseconds < right.microseconds
    }

    /// Moves an instant later by a duration, rounded towards zero to microseconds.
    public static func + (left: Instant, right: Duration) -> Instant {
        Instant(microseconds: left.microseconds + right.wholeMicroseconds)
    }

    /// Moves an instant earlier by a duration, rounded towards zero to microseconds.
    public static func - (left: Instant, right: Duration) -> Instant {
        Instant(microseconds: left.microseconds - right.wholeMicroseconds)
    }

    /// Gives the time from `right` to `left`.
    public static func - (left: Instant, right: Instant) -> Duration {
        .microseconds(left.microseconds - right.microseconds)
    }

    /// The instant as ISO 8601 in UTC; microseconds are written only where there are any.
    public var description: String { iso8601 }
}

extension Duration {
    /// The duration in microseconds, rounded towards zero.
    public var wholeMicroseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
