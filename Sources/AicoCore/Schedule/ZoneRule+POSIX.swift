// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension ZoneRule {
    /// Reads a POSIX TZ string as `CET-1CEST,M3.5.0,M10.5.0/3`; nil where it is malformed.
    ///
    /// Source: POSIX.1-2017, 8.3 "TZ"; RFC 9636, 3.3.2 for times from -167 to 167 hours.
    init?(posix text: some StringProtocol) {
        var reader = Reader(bytes: Array(text.utf8))
        guard reader.name(), let west = reader.time(hours: 24) else { return nil }
        let standard = -west
        if reader.isAtEnd {
            self.init(standardOffset: standard, summer: nil)
            return
        }
        guard reader.name() else { return nil }
        var offset = standard + 3600
        if reader.peek != 0x2C {
            guard let west = reader.time(hours: 24) else { return nil }
            offset = -west
        }
        guard let start = reader.change(), let end = reader.change(), reader.isAtEnd else {
            return nil
        }
        let summer = Summer(
            offset: offset, start: start.day, startTime: start.time, end: end.day,
            endTime: end.time)
        if Self.isPermanent(summer, standardOffset: standard) {
            self.init(standardOffset: offset, summer: nil)
        } else if offset == standard {
            self.init(standardOffset: standard, summer: nil)
        } else {
            self.init(standardOffset: standard, summer: summer)
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == bytes.count }
        var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func take(_ byte: UInt8) -> Bool {
            guard peek == byte else { return false }
            position += 1
            return true
        }

        /// Skips a zone abbreviation: three or more letters, or `<...>`.
        mutating func name() -> Bool {
            let isQuoted = take(0x3C)
            let start = position
            while let byte = peek {
                let isLetter = (0x41...0x5A).contains(byte & 0xDF)
                let isOther = (0x30...0x39).contains(byte) || byte == 0x2B || byte == 0x2D
                guard isLetter || isQuoted && isOther else { break }
                position += 1
            }
            guard position - start >= 3 else { return false }
            return isQuoted ? take(0x3E) : true
        }

        mutating func number() -> Int64? {
            var value: Int64 = 0
            let start = position
            while let byte = peek, (0x30...0x39).contains(byte), position - start < 4 {
                value = value * 10 + Int64(byte - 0x30)
                position += 1
            }
            return position > start ? value : nil
        }

        /// Reads `[+-]hh[:mm[:ss]]` as seconds.
        mutating func time(hours limit: Int64) -> Int64? {
            let sign: Int64 = take(0x2D) ? -1 : 1
            if sign == 1 { _ = take(0x2B) }
            guard let hours = number(), hours <= limit else { return nil }
            var seconds = hours * 3600
            for unit: Int64 in [60, 1] {
                guard take(0x3A) else { break }
                guard let part = number(), part <= 59 else { return nil }
                seconds += part * unit
            }
            return sign * seconds
        }

        /// Reads `,Jn`, `,n` or `,Mm.w.d`, each with an optional `/time`; 02:00 by default.
        mutating func change() -> (day: Day, time: Int64)? {
            guard take(0x2C), let day = day() else { return nil }
            guard take(0x2F) else { return (day, 7200) }
            guard let time = time(hours: 167) else { return nil }
            return (day, time)
        }

        private mutating func day() -> Day? {
            if take(0x4A) {
                guard let day = number(), (1...365).contains(day) else { return nil }
                return .julian(Int(day))
            }
            guard take(0x4D) else {
                guard let day = number(), day <= 365 else { return nil }
                return .dayOfYear(Int(day))
            }
            guard let month = number(), (1...12).contains(month), take(0x2E),
                let week = number(), (1...5).contains(week), take(0x2E),
                let weekday = number(), weekday <= 6
            else { return nil }
            return .weekday(month: Int(month), week: Int(week), weekday: Int(weekday))
        }
    }
}
