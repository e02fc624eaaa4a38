// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico scheduler create`.
struct TaskCreate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a task.",
        discussion: """
            The id begins with the task's class; what follows "--" makes a user.command task.

            Examples:
              aico scheduler create user.hello "*/5 * * * *" -- /bin/echo hello
              aico scheduler create user.photos "0 2 * * *" --timezone Europe/Berlin \\
                --timeout 5m --retries 2 -- /usr/bin/rsync -a ~/photos /mnt/backup
              aico scheduler create maintenance.logs.weekly @weekly \\
                --type maintenance.log_cleanup --config '{"retention_days":7}'
            """)

    @Argument(help: "The id: class, a dot, and a name, as in user.photos.")
    var id: String

    @Argument(help: "When it runs: cron in quotes, @daily, interval:5m, at:ISO8601, @reboot.")
    var schedule: String

    @Option(
        name: [.customLong("timezone"), .customLong("tz")],
        help: ArgumentHelp("The IANA time zone. Default: UTC.", valueName: "zone"))
    var timezone: String?

    @Option(help: ArgumentHelp("The task type. Default: user.command.", valueName: "type"))
    var type: String?

    @Flag(help: "Create it without letting the schedule run it.")
    var disabled = false

    @OptionGroup var work: WorkOptions
    @OptionGroup(title: "Policies") var policies: PolicyOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        var body = try request()
        if disabled { body["enabled"] = false }
        let data = try connection.connect().ask(.taskCreate, body)
        guard !output.json else { return try console.document(data) }
        let task = TaskView(data["task"] ?? .null)
        let next = task.nextRun.map { HumanTime.relative($0, to: console.now()) }
        console.say(
            "created \(id), "
                + (disabled ? "disabled" : next.map { "which runs \($0)" } ?? "never due"))
        console.warn(of: data)
    }

    private func request() throws(Failure) -> [String: JSONValue] {
        if let type, type != "user.command", work.isCommand { throw ErrorMessages.commandAndType }
        let config = try work.members(
            ofCommand: type ?? "user.command" == "user.command", asChange: false)
        if type == nil, config["argv"] == nil { throw ErrorMessages.nothingToRun }
        var body: [String: JSONValue] = [
            "id": .string(try Checked.taskID(id).text),
            "schedule": .string(try Checked.schedule(schedule).text),
            "config": .object(config),
        ]
        if let type { body["type"] = .string(type) }
        if let timezone { body["timezone"] = .string(try Checked.zone(timezone).name) }
        let policies = try policies.members()
        if !policies.isEmpty { body["policies"] = .object(policies) }
        return body
    }
}
