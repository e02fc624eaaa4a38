// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico schedule benchmark`: next-times a second of this executable on this machine.
struct ScheduleBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measure next-times a second in the library.",
        shouldDisplay: false)

    @Option(help: ArgumentHelp("Next-times of each expression.", valueName: "number"))
    var count = 300_000

    @OptionGroup var output: OutputOptions

    /// From every five minutes to leap days.
    private static let expressions = [
        "*/5 * * * *", "0 2 * * *", "30 9 * * mon-fri", "15 4 1,15 * *", "0 0 29 2 *",
        "*/10 * * * * *",
    ]

    func run() throws {
        let console = Console.current
        var members: [String: JSONValue] = [:]
        var table = Table([
            .init(title: "ZONE"), .init(title: "SCHEDULE"), .init(title: "A SECOND", isRight: true),
        ])
        for name in ["UTC", "Europe/Berlin"] {
            let zone = try Checked.zone(name)
            var rates: [String: JSONValue] = [:]
            var elapsed = Duration.zero
            var total = 0
            for expression in Self.expressions {
                let schedule = try Checked.schedule(expression)
                let (found, spent) = measure(schedule, zone)
                elapsed += spent
                total += found
                rates[expression] = .int(Self.rate(found, spent))
                table.rows.append([
                    .init(name), .init(expression), "\(Self.rate(found, spent))",
                ])
            }
            table.rows.append([.init(name), "all", "\(Self.rate(total, elapsed))"])
            members[name] = ["all": .int(Self.rate(total, elapsed)), "each": .object(rates)]
        }
        guard !output.json else { return try console.document(.object(members)) }
        try console.table(table, ifEmpty: "")
    }

    private func measure(_ schedule: Schedule, _ zone: ZoneRules) -> (Int, Duration) {
        let start = Instant(seconds: 1_736_899_200)
        var found = 0
        let spent = ContinuousClock().measure {
            var times = schedule.times(after: start, in: zone, created: start)
            while found < count {
                // Starts again where years no longer have four digits.
                guard let instant = times.next(), instant.seconds < 253_402_300_800 else {
                    times = schedule.times(after: start, in: zone, created: start)
                    continue
                }
                found += 1
            }
        }
        return (found, spent)
    }

    private static func rate(_ count: Int, _ spent: Duration) -> Int {
        Int(Double(count) / max(1e-9, spent / .seconds(1)))
    }
}
