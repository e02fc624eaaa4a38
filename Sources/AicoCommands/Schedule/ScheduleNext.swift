// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser
import Glibc

/// `aico schedule next`.
struct ScheduleNext: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "next",
        abstract: "Print when a schedule fires next.",
        discussion: """
            With --stdin, reads a JSON object a line, {"expr","tz","after","count"}, and prints a
            line for each: {"next":["2025-01-15T10:00:00Z",...]}, or {"error":"..."} and goes on.
            Only "expr" is needed; "tz" is UTC, "after" is now and "count" is 1 by default.

            Examples:
              aico schedule next "0 2 * * *" --tz Europe/Berlin --count 3
              aico schedule next @hourly --after 2025-01-15T10:00:00Z --json
              echo '{"expr":"0 2 * * *","tz":"Europe/Berlin"}' | aico schedule next --stdin
            """)

    @Argument(help: ArgumentHelp("The schedule, in quotes.", valueName: "schedule"))
    var expression: String?

    @Option(
        name: [.customLong("tz"), .customLong("timezone")],
        help: ArgumentHelp("The IANA time zone.", valueName: "zone"))
    var zone: String?

    @Option(
        help: ArgumentHelp("Times later than this instant. Default: now.", valueName: "instant"))
    var after: String?

    @Option(
        name: [.short, .long], parsing: .unconditional,
        help: ArgumentHelp("How many times.", valueName: "number"))
    var count = 5

    @Flag(help: "Answer lines of JSON from standard input.")
    var stdin = false

    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = Console.current
        if stdin {
            guard expression == nil else { throw ErrorMessages.expressionAndLines }
            return try answerLines(now: console.now)
        }
        guard let expression else { throw ErrorMessages.noExpression }
        guard (1...ScheduleQuestion.maximumCount).contains(count) else {
            throw ErrorMessages.badCount(count, maximum: ScheduleQuestion.maximumCount)
        }
        let schedule = try Checked.schedule(expression)
        let rules = try Checked.zone(zone ?? "UTC")
        let now = console.now()
        let start = try after.map { try Checked.instant($0, option: "--after") } ?? now
        let times = schedule.times(after: start, in: rules, created: start).prefix(count)
        guard !output.json else {
            return try console.document([
                "schedule": .string(schedule.text), "timezone": .string(rules.name),
                "after": .string(start.iso8601),
                "next": .array(times.map { .string($0.iso8601) }),
            ])
        }
        var table = Table([.init(title: ""), .init(title: ""), .init(title: "", rank: 0)])
        table.rows = times.map { time in
            [
                .init(time.iso8601),
                .init(rules.name == "UTC" ? "" : HumanTime.absolute(time, in: rules)),
                .init(HumanTime.relative(time, to: now), .faint),
            ]
        }
        if rules.name == "UTC" { table = table.dropping(column: 1) }
        table.hasHeading = false
        try console.table(table, ifEmpty: ErrorMessages.neverFires(schedule))
    }

    private func answerLines(now: @escaping @Sendable () -> Instant) throws(Failure) {
        var answers = ScheduleAnswers(now: now) { (bytes) throws(Failure) in
            let result = bytes.withUnsafeBytes { buffer in
                Result { () throws(Failure) in try StandardStream.output(buffer) }
            }
            try result.get()
            bytes.removeAll(keepingCapacity: true)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count: Int
            do throws(StandardStream.Fault) {
                count = try StandardStream.read(STDIN_FILENO, into: buffer)
            } catch {
                throw ErrorMessages.unreadableInput(error.reason)
            }
            guard count > 0 else { return try answers.finish() }
            try answers.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
