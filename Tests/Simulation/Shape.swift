// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import TimeZones

/// A schedule with policies, as clients of a simulation make tasks of them.
///
/// A task's `policies` column holds the shape's number and `origin` the request that made it, so
/// that what its row means can be told without a parser.
struct Shape: Sendable {
    let schedule: Schedule
    let zone: ZoneRules
    let zoneName: String
    let policies: TaskPolicies

    var isReboot: Bool { schedule.kind == .reboot }

    /// Every kind of policy, in zones drawn for the episode.
    static func all(_ random: inout RandomSource, zones: [String]) -> [Shape] {
        let texts = [
            "*/5 * * * *", "*/15 * * * *", "7 * * * *", "30 2 * * *", "*/10 1-3 * * *", "0 0 * * *",
            "interval:600", "interval:1700", "@reboot", "45 1,2,3 * * *", "*/20 * * * *",
            "59 23 * * *",
        ]
        var shapes: [Shape] = []
        for index in 0..<16 {
            let zone = random.pick(zones)
            guard let schedule = try? Schedule.parse(texts[(index + random.int(0...11)) % 12]),
                let rules = try? TimeZoneStore.load(zone)
            else { continue }
            var policies = TaskPolicies()
            policies.overlap = random.pick(OverlapPolicy.allCases)
            policies.misfire = random.pick(MisfirePolicy.allCases)
            policies.onCrash = random.pick(CrashPolicy.allCases)
            policies.timeout = random.chance(500) ? .seconds(random.int(1...900)) : nil
            policies.grace = .seconds(random.int(0...20))
            policies.retry = RetryPolicy(
                count: random.int(0...3), delay: .seconds(random.int(0...120)), factor: 2,
                maximumDelay: .seconds(600), jitter: .seconds(random.int(0...5)))
            policies.catchUpWindow = .seconds(random.pick([600, 7200, 86400]))
            policies.jitter = random.chance(200) ? .seconds(random.int(1...40)) : .zero
            policies.priority = random.int(-2...2)
            policies.idleOnly = random.chance(250)
            policies.maximumDefer = .seconds(random.int(0...1800))
            policies.dst.gap = random.pick(DSTPolicy.Gap.allCases)
            policies.dst.overlap = random.pick(DSTPolicy.Overlap.allCases)
            shapes.append(
                Shape(schedule: schedule, zone: rules, zoneName: zone, policies: policies))
        }
        return shapes
    }

    func table(created: Instant) -> Planner.Timetable {
        Planner.Timetable(schedule: schedule, zone: zone, created: created, policies: policies)
    }
}
