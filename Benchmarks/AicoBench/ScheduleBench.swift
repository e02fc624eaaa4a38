// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import TimeZones

/// How many following times the cron engine finds in a second.
enum ScheduleBench {
    static let expressions = [
        "*/5 * * * *", "0 9 * * 1-5", "30 2 1 * *", "15,45 */2 * * *", "0 0 * * sun", "7 3 29 2 *",
    ]

    static func run(into report: inout BenchReport) throws {
        let start = Instant(seconds: 1_735_689_600)  // 2025-01-01
        for (zone, goal) in [("UTC", 1_000_000.0), ("Europe/Berlin", 300_000)] {
            let rules = try TimeZoneStore.load(zone)
            var found = 0
            let time = try milliseconds {
                for expression in expressions {
                    let schedule = try Schedule.parse(expression)
                    var after = start
                    for _ in 0..<50_000 {
                        guard
                            let next = schedule.next(
                                after: after, in: rules, created: start, dst: DSTPolicy())
                        else { break }
                        after = next
                        found += 1
                    }
                }
            }
            report.add(
                "schedule next in \(zone)", Double(found) / (time / 1000), "1/s", atLeast: goal)
        }
    }
}
