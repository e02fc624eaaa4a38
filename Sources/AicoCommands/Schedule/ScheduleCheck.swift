// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico schedule check`.
struct ScheduleCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say whether a schedule is right, and what is wrong with it.",
        discussion: """
            Exits with 0 where it is right, else with 2. One that never fires is right and
            warned of.

            Examples:
              aico schedule check "0 2 * * mon-fri" --tz Europe/Berlin
              aico schedule check "61 * * * *" --json
            """)

    @Argument(help: ArgumentHelp("The schedule, in quotes.", valueName: "schedule"))
    var expression: String

    @Option(
        name: [.customLong("tz"), .customLong("timezone")],
        help: ArgumentHelp("The IANA time zone.", valueName: "zone"))
    var zone = "UTC"

    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = Console.current
        guard output.json else { return try show(on: console) }
        let schedule: Schedule
        do {
            schedule = try Schedule.parse(expression)
        } catch {
            try console.document([
                "schedule": .string(expression), "valid": false,
                "error": [
                    "field": error.field.map { .string($0.name) } ?? .null,
                    "part": .string(error.part), "message": .string(error.message),
                    "hint": .string(error.hint),
                ],
            ])
            throw Failure(.usage, "")
        }
        let rules = try Checked.zone(zone)
        let times = times(schedule, rules, console.now())
        try console.document([
            "schedule": .string(schedule.text), "valid": true, "timezone": .string(zone),
            "next": .array(times.map { .string($0.iso8601) }),
            "warning": times.isEmpty ? .string(ErrorMessages.neverFires(schedule).text) : .null,
        ])
    }

    private func show(on console: Console) throws {
        let schedule = try Checked.schedule(expression)
        let rules = try Checked.zone(zone)
        let now = console.now()
        let times = times(schedule, rules, now)
        var sheet = FieldList()
        sheet.add("schedule", schedule.text)
        sheet.add("time zone", zone)
        for (index, time) in times.enumerated() {
            sheet.add(
                index == 0 ? "next" : "",
                "\(HumanTime.absolute(time, in: rules)) (\(HumanTime.relative(time, to: now)))")
        }
        if times.isEmpty {
            let word = schedule.kind == .reboot ? "at each boot" : "never"
            sheet.add("next", word, .warning)
            console.say(ErrorMessages.neverFires(schedule))
        }
        try console.sheet(sheet)
    }

    private func times(_ schedule: Schedule, _ zone: ZoneRules, _ now: Instant) -> [Instant] {
        Array(schedule.times(after: now, in: zone, created: now).prefix(3))
    }
}
