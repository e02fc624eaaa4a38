// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A compiled cron expression: one bitmask a field, and the special days.
package struct CronExpression: Sendable, Hashable {
    /// Bit s is set where second s matches; only bit 0 without a seconds field.
    var seconds: UInt64 = 1
    /// Bit m is set where minute m matches.
    var minutes: UInt64 = 0
    /// Bit h is set where hour h matches.
    var hours: UInt64 = 0
    /// Bit m is set where month m matches.
    var months: UInt64 = 0
    /// Which days match in a given month.
    var days = CronDays()

    /// Whether minute or hour begins with `*`, so that the job follows elapsed time over DST.
    package internal(set) var isWildcard = false
    /// Whether a seconds field was given.
    package internal(set) var hasSeconds = false

    /// The named shorthands and what they stand for.
    static let macros: [(name: String, expression: String)] = [
        ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"), ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"), ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
    ]

    /// Reads five fields, six with leading seconds, or a macro such as `@daily`.
    ///
    /// Debian cron is the reference; `L`, `W`, `#` and seconds are additions.
    package init(_ text: String) throws(ScheduleError) {
        let fields = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        // Before anything is counted: a variable beside five fields would pass for seconds.
        if let first = fields.first, first.contains("=") {
            throw Self.variable(first, text: text)
        }
        if let first = fields.first, first.hasPrefix("@") {
            let expression = try Self.expand(
                macro: first, text: text, rest: fields.dropFirst())
            self = try CronExpression(expression)
            return
        }
        let kinds: [CronField] =
            fields.count == 6
            ? CronField.allCases : Array(CronField.allCases.dropFirst())
        guard fields.count == kinds.count else {
            throw Self.wrongCount(fields.count, text: text)
        }
        hasSeconds = fields.count == 6
        for (field, part) in zip(kinds, fields) {
            var parser = CronFieldParser(field: field, text: part, schedule: text)
            let mask = try parser.parse(into: &days)
            switch field {
            case .second: seconds = mask
            case .minute: minutes = mask
            case .hour: hours = mask
            case .dayOfMonth: days.daysOfMonth = mask
            case .month: months = mask
            case .dayOfWeek: days.weekdays = mask
            }
            let beginsWithStar = part.hasPrefix("*")
            switch field {
            case .minute, .hour: isWildcard = isWildcard || beginsWithStar
            case .dayOfMonth, .dayOfWeek: days.needsBoth = days.needsBoth || beginsWithStar
            case .second, .month: break
            }
        }
    }

    private static func expand(
        macro: Substring, text: String, rest: ArraySlice<Substring>
    ) throws(ScheduleError) -> String {
        func refusal(_ reason: String, _ hint: String) -> ScheduleError {
            ScheduleError(
                text: text, field: nil, part: String(macro), reason: reason, hint: hint)
        }
        if macro.lowercased() == "@every" {
            let interval = rest.count == 1 ? rest.first.flatMap { SpanText($0)?.interval } : nil
            // A span that no interval can have is told of with an example instead.
            let isTaken = interval.map { (try? Schedule.parse($0)) != nil } ?? false
            throw refusal(
                "intervals are written in another way",
                "write \(isTaken ? interval ?? "" : "interval:5m for every five minutes")")
        }
        let isKnown = macro == "@reboot" || macros.contains { $0.name == macro }
        guard rest.isEmpty || !isKnown else {
            throw refusal("nothing may follow a shorthand", "write \(macro) alone")
        }
        if let found = macros.first(where: { $0.name == macro }) { return found.expression }
        if macro == "@reboot" {
            throw refusal(
                "it names the start of the scheduler, not a time",
                "use it as a task's schedule, or write a cron expression")
        }
        let names = macros.map(\.name)
        let nearest = NearestWord.find(macro.lowercased(), in: names + ["@reboot"])
        throw refusal(
            "there is no such shorthand",
            nearest.map { "write \($0)" } ?? "write one of \(names.joined(separator: ", "))")
    }

    private static let order =
        "minute hour day-of-month month day-of-week, as in \"0 2 * * *\""

    /// Refuses what other crons take before the fields, as `CRON_TZ=Europe/Berlin 0 2 * * *`.
    private static func variable(_ assignment: Substring, text: String) -> ScheduleError {
        let name = assignment.prefix { $0 != "=" }
        let zone = assignment.dropFirst(name.count + 1).filter { $0 != "\"" && $0 != "'" }
        // Behind all of them, since what is read below would come back here for each.
        let words = text[assignment.endIndex...].split { $0 == " " || $0 == "\t" }
        let first = words.first { !$0.contains("=") }
        let rest = first.map { text[$0.startIndex...] } ?? ""
        let schedule = (try? Schedule.parse(String(rest))) == nil ? order : "\"\(rest)\""
        let isZone = ["CRON_TZ", "TZ"].contains(name) && !zone.isEmpty
        return ScheduleError(
            text: text, field: nil, part: String(assignment),
            reason: "a schedule carries no variables",
            hint: "write \(schedule)"
                + (isZone ? ", and the zone apart: --timezone \(zone)" : ""))
    }

    private static func wrongCount(_ count: Int, text: String) -> ScheduleError {
        ScheduleError(
            text: text, field: nil, part: text,
            reason: count == 0
                ? "it is empty" : "it has \(count) field\(count == 1 ? "" : "s") instead of 5",
            hint: "write \(order)")
    }
}
