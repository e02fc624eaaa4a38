// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Reads one field of a cron expression into a bitmask.
struct CronFieldParser {
    let field: CronField
    let text: Substring
    let schedule: String

    /// Reads the field; special days go into `days`.
    mutating func parse(into days: inout CronDays) throws(ScheduleError) -> UInt64 {
        var mask: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !item.isEmpty else {
                throw refuse(text, "a list has an empty item", "write values as in 1,15")
            }
            if try !parseSpecial(item, into: &days) { mask |= try parse(item) }
        }
        return mask
    }

    /// Reads `*`, `n`, `a-b`, each but `n` with an optional `/step`.
    private func parse(_ item: Substring) throws(ScheduleError) -> UInt64 {
        let halves = item.split(
            separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let body = halves[0]
        let step = halves.count == 2 ? try self.step(halves[1], item: item) : 1
        if body == "*" { return bits(field.range, step: step) }
        let dash = body.dropFirst().firstIndex(of: "-")
        guard let dash else {
            let value = try value(body, item: item)
            if halves.count == 2 {
                throw refuse(
                    item, "a step needs a range or *",
                    "write \(body)-\(field.range.upperBound)/\(step)")
            }
            return bits(value...value, step: 1)
        }
        let first = body[..<dash]
        let last = body[body.index(after: dash)...]
        let low = try value(first, item: item)
        var high = try value(last, item: item)
        if field == .dayOfWeek, high == 0 { high = low == 0 ? 0 : 7 }
        guard low <= high else {
            let wrapped =
                "\(first)-\(field.range.upperBound),\(field.range.lowerBound)-\(last)"
            throw refuse(
                item, "the range runs backwards",
                step == 1 ? "write \(wrapped)" : "write two ranges, joined by a comma")
        }
        return bits(low...high, step: step)
    }

    /// Gives the bits of a range; Sunday as 7 becomes bit 0.
    private func bits(_ range: ClosedRange<Int>, step: Int) -> UInt64 {
        var mask: UInt64 = 0
        for value in stride(from: range.lowerBound, through: range.upperBound, by: step) {
            mask |= 1 << UInt64(field == .dayOfWeek ? value % 7 : value)
        }
        return mask
    }

    private func step(_ digits: Substring, item: Substring) throws(ScheduleError) -> Int {
        guard let value = Self.number(digits) else {
            throw refuse(
                item, "the step after \"/\" is not a number", "write a step as in */5")
        }
        guard value > 0 else { throw refuse(item, "a step of 0 never moves", "write */1 or *") }
        return value
    }

    /// Reads a number or a name of the field and checks its range.
    private func value(_ word: Substring, item: Substring) throws(ScheduleError) -> Int {
        let hint = "write \(field.valueHint)"
        guard !word.isEmpty else { throw refuse(item, "a value is missing", hint) }
        guard let value = Self.number(word) else {
            let lowered = word.lowercased()
            if let index = field.names.firstIndex(of: lowered) {
                return index + field.firstNamedValue
            }
            if let name = field.names.first(where: { lowered.hasPrefix($0) }) {
                throw refuse(
                    item, "names have three letters", "write \(name) for \"\(word)\"")
            }
            throw refuse(
                item, notAValue(word),
                word != "?"
                    ? hint : item.hasPrefix("?/") ? "write *\(item.dropFirst())" : "write *")
        }
        guard value <= field.range.upperBound else {
            throw refuse(item, "the largest is \(field.range.upperBound)", hint)
        }
        guard value >= field.range.lowerBound else {
            throw refuse(item, "the smallest is \(field.range.lowerBound)", hint)
        }
        return value
    }

    private func notAValue(_ word: Substring) -> String {
        switch word {
        case "?": "? is of another dialect, * says the same here"
        default: "\"\(word)\" is not a number" + (field.names.isEmpty ? "" : " or a name")
        }
    }

    /// Reads decimal digits; nil for anything else, a number beyond nine digits included.
    static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 9 else { return nil }
        var value = 0
        for byte in text.utf8 {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    func refuse(_ part: Substring, _ reason: String, _ hint: String) -> ScheduleError {
        ScheduleError(
            text: schedule, field: field, part: String(part), reason: reason, hint: hint)
    }
}
