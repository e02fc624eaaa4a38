// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What /proc says of the machine's memory (proc(5)).
struct MemoryReading: Equatable {
    /// Bytes in all.
    var total: UInt64
    /// Bytes that programs could still get.
    var available: UInt64

    /// Reads the text of /proc/meminfo; nil where a line is missing or wrong.
    init?(meminfo text: String) {
        guard let total = Self.field("MemTotal", text), total > 0,
            let available = Self.field("MemAvailable", text), available <= total
        else { return nil }
        self.total = total
        self.available = available
    }

    var availablePercent: Double { Double(available) / Double(total) * 100 }

    private static func field(_ name: String, _ text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
            let words = line.dropFirst(name.count + 1).split(separator: " ")
            guard words.count == 2, words[1] == "kB", let value = UInt64(words[0]) else {
                return nil
            }
            let (bytes, overflow) = value.multipliedReportingOverflow(by: 1024)
            return overflow ? nil : bytes
        }
        return nil
    }
}

/// How much time was lost waiting for memory: the text of /proc/pressure/memory.
struct MemoryPressure: Equatable {
    /// Percent of the last minute in which some process waited.
    var some: Double
    /// Percent of the last minute in which all processes waited.
    var full: Double

    init?(_ text: String) {
        guard let some = Self.average("some", text), let full = Self.average("full", text) else {
            return nil
        }
        self.some = some
        self.full = full
    }

    private static func average(_ name: String, _ text: String) -> Double? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.first.map(String.init) == name else { continue }
            for word in words where word.hasPrefix("avg60=") {
                guard let value = Double(word.dropFirst(6)), (0...100).contains(value) else {
                    return nil
                }
                return value
            }
        }
        return nil
    }
}
