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
              aico scheduler update user.photos --timeout 2h --unset jitter
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

    private static let policyNames = [
        "timeout", "grace", "retry", "misfire", "catchup_window", "overlap", "jitter", "priority",
        "idle_only", "max_defer", "on_crash", "dst",
    ]

    func run() throws {
        let console = Console.current
        var body: [String: JSONValue] = [:]
        if let schedule { body["schedule"] = .string(try Checked.schedule(schedule).text) }
        if let timezone { body["timezone"] = .string(try Checked.zone(timezone).name) }
        let config = try work.members(ofCommand: false)
        if !config.isEmpty || work.config != nil { body["config"] = .object(config) }
        var changed = try policies.members()
        for name in unset {
            guard Self.policyNames.contains(name) else {
                throw Wording.badWord(name, option: "--unset", known: Self.policyNames)
            }
            // What is set beside it counts, on the default and no longer on what was there.
            if changed[name] == nil { changed[name] = .null }
        }
        guard !body.isEmpty || !changed.isEmpty else { throw Wording.nothingToChange }
        body["task"] = .string(id)
        let bus = try connection.connect()
        try complete(&body, &changed, from: bus)
        if !changed.isEmpty { body["policies"] = .object(changed) }
        let data = try bus.ask(.taskUpdate, body)
        guard !output.json else { return try console.document(data) }
        console.say("updated \(id)")
    }

    /// Puts what the task has already under the parts that are named in halves.
    private func complete(
        _ body: inout [String: JSONValue], _ changed: inout [String: JSONValue], from bus: Bus
    ) throws(Failure) {
        let nested = ["retry", "dst"].filter { changed[$0]?.object != nil && !unset.contains($0) }
        let keepsConfig = work.config == nil && body["config"] != nil
        guard keepsConfig || !nested.isEmpty else { return }
        let task = TaskView(try bus.ask(.taskStatus, ["task": .string(id)])["task"] ?? .null)
        if keepsConfig, let old = task.config.object, let new = body["config"]?.object {
            body["config"] = .object(old.merging(new) { $1 })
        }
        for name in nested {
            guard let old = task.policies[name]?.object, let new = changed[name]?.object else {
                continue
            }
            changed[name] = .object(old.merging(new) { $1 })
        }
    }
}
