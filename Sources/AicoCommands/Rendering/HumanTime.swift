// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// Times as people say them.
enum HumanTime {
    /// An instant seen from now: `in 5 min`, `3 s ago`; beyond 60 days the date in UTC.
    static func relative(_ instant: Instant, to now: Instant) -> String {
        let distance = instant.microseconds.subtractingReportingOverflow(now.microseconds)
        let span = distance.partialValue.magnitude
        guard !distance.overflow, span < 60 * 86400 * 1_000_000 else {
            return String(instant.iso8601.prefix(10))
        }
        if span < 500_000 { return "now" }
        let text = coarse(microseconds: span)
        return distance.partialValue > 0 ? "in \(text)" : "\(text) ago"
    }

    /// A span in its largest unit, rounded once, from the whole of it.
    private static func coarse(microseconds: UInt64) -> String {
        func count(_ seconds: UInt64) -> UInt64 {
            (microseconds + seconds * 500_000) / (seconds * 1_000_000)
        }
        // 59.6 s are a minute: a unit is left where its rounded count fills the next one.
        if count(1) < 60 { return "\(count(1)) s" }
        if count(60) < 60 { return "\(count(60)) min" }
        if count(3600) < 24 { return "\(count(3600)) h" }
        return "\(count(86400)) d"
    }

    /// A measured length: `12 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`.
    static func length(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "?" }
        if seconds < 0.0995 { return "\(number(seconds * 1000, seconds < 0.00995 ? 1 : 0)) ms" }
        if seconds < 9.95 { return "\(number(seconds, seconds < 0.995 ? 2 : 1)) s" }
        func count(_ unit: Double) -> Int64 { Int64((seconds / unit).rounded()) }
        if count(1) < 60 { return "\(count(1)) s" }
        if count(1) < 3600 { return pair(count(1) / 60, "min", count(1) % 60, "s") }
        if count(60) < 1440 { return pair(count(60) / 60, "h", count(60) % 60, "min") }
        return pair(count(3600) / 24, "d", count(3600) % 24, "h")
    }

    /// An instant on the clocks of a zone: `2026-11-25 02:00:00 +01:00`.
    static func absolute(_ instant: Instant, in zone: ZoneRules) -> String {
        let offset = zone.offset(at: instant)
        let text = zone.civilTime(at: instant).iso8601
        let clock = text.map { $0 == "T" ? " " : String($0) }.joined()
        guard offset != 0 else { return clock + " UTC" }
        let minutes = Int(offset.magnitude) / 60
        return "\(clock) \(offset < 0 ? "-" : "+")\(two(minutes / 60)):\(two(minutes % 60))"
    }

    /// A number with a fixed count of digits after the point, none of them a trailing zero.
    static func number(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (value * scale).rounded()
        guard scaled.magnitude < 9e15 else { return "\(value)" }
        let rounded = scaled / scale
        return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
    }

    private static func pair(
        _ first: Int64, _ firstUnit: String, _ second: Int64, _ secondUnit: String
    ) -> String {
        second == 0 ? "\(first) \(firstUnit)" : "\(first) \(firstUnit) \(second) \(secondUnit)"
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

/// Sizes as people say them.
enum HumanSize {
    /// Bytes in the largest binary unit that they fill: `12.5 MiB`.
    static func bytes(_ count: Double) -> String {
        var value = count
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 { return "\(HumanTime.number(value, value < 100 ? 1 : 0)) \(unit)" }
            value /= 1024
        }
        return "\(HumanTime.number(value, 1)) TiB"
    }
}
