// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// `aico scheduler update`.
struct TaskUpdate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change a task; what is not named stays.",
        discussion: """
            Examples:
              aico scheduler update user.photos --schedule "0 4 * * *"
              aico scheduler update user.photos --timeout 4m --unset jitter
              aico scheduler update user.photos -- /usr/bin/rsync -a /photos /mnt/backup
            """)

    @Argument(help: "The task's id.")
    var id: String

    @Option(help: ArgumentHelp("The new schedule.", valueName: "schedule"))
    var schedule: String?

    @Option(
        name: [.customLong("timezone"), .customLong("tz")],
        help: ArgumentHelp("The new IANA time zone.", valueName: "zone"))
    var timezone: String?

    @Option(
        help: ArgumentHelp(
            "A policy that goes back to its default before others are set; may be repeated.",
            valueName: "policy"))
    var unset: [String] = []

    @OptionGroup var work: WorkOptions
    @OptionGroup(title: "Policies") var policies: PolicyOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        var body: [String: JSONValue] = [:]
        if let schedule { body["schedule"] = .string(try Checked.schedule(schedule).text) }
        if let timezone { body["timezone"] = .string(try Checked.zone(timezone).name) }
        try checkCommand()
        let config = try work.members(ofCommand: false, asChange: true)
        if !config.isEmpty || work.config != nil { body["config"] = .object(config) }
        let changed = try changedPolicies()
        guard !body.isEmpty || !changed.isEmpty else { throw ErrorMessages.nothingToChange }
        body["task"] = .string(id)
        if !changed.isEmpty { body["policies"] = .object(changed) }
        let data = try connection.connect().ask(.taskUpdate, body)
        guard !output.json else { return try console.document(data) }
        console.say("updated \(id)")
        console.warn(of: data)
    }

    /// What only a command has is refused for tasks that cannot be one.
    private func checkCommand() throws(Failure) {
        guard work.isCommand, let task = try? TaskID(id), task.taskClass != .user else { return }
        throw ErrorMessages.noCommandFor(id, taskClass: task.taskClass.name)
    }

    /// The policies as the scheduler merges them: null gives a default back. A policy that is
    /// unset and set in parts keeps nothing of what it was.
    private func changedPolicies() throws(Failure) -> [String: JSONValue] {
        var changed = try policies.members()
        for name in unset {
            guard PolicyParameter.members.contains(name) else {
                throw ErrorMessages.badWord(name, option: "--unset", known: PolicyParameter.members)
            }
            guard let value = changed[name] else {
                changed[name] = .null
                continue
            }
            guard let given = value.object else { continue }
            let parts = PolicyParameter.parts(of: name)
            let defaults = Dictionary(uniqueKeysWithValues: parts.map { ($0.key, JSONValue.null) })
            changed[name] = .object(defaults.merging(given) { $1 })
        }
        return changed
    }
}
