// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import StrictYAML

/// Reads section `tasks`; the embedded defaults say which tasks and which of their keys exist.
struct BuiltInTaskReader {
    /// Ids that the requirements give other than `<module>.<name>`.
    static let renamed = ["maintenance.key_rotation": "security.key_rotation"]
    private static let schedulingKeys: Set = [
        "enabled", "schedule", "timezone", "timeout", "idle_only",
    ]
    private static let ranges: [String: ClosedRange<Int>] = [
        "retention_days": 1...36500, "max_size_mb": 1...1_048_576, "max_duration": 1...86_400,
    ]

    let defaults: SettingsSection
    let policies: TaskPolicies
    let timeZone: String

    func read(
        _ tasks: SettingsSection, modules: Set<String>
    ) throws(YAMLFailure) -> [BuiltInTask] {
        var found: [BuiltInTask] = []
        for module in tasks.keys {
            let section = try tasks.section(module)
            for name in section.keys {
                // All are checked, also those that are not wanted.
                let task = try task(section.section(name), module: module, name: name)
                if modules.contains(module) { found.append(task) }
            }
        }
        return found.sorted { $0.id < $1.id }
    }

    private func task(
        _ section: SettingsSection, module: String, name: String
    ) throws(YAMLFailure) -> BuiltInTask {
        let text = Self.renamed["\(module).\(name)"] ?? "\(module).\(name)"
        guard let id = try? TaskID(text) else {
            throw section.value.failure("'\(text)' is not an id of a task")
        }
        var policies = policies
        if let idleOnly = section.optional("idle_only") {
            policies.idleOnly = try idleOnly.bool("idle_only")
        }
        if section.optional("timeout") != nil {
            policies.timeout = try section.seconds("timeout", 1...604_800)
        }
        let defaults = try defaults.section(module).section(name)
        var config: [String: JSONValue] = [:]
        for key in section.keys where !Self.schedulingKeys.contains(key) {
            config[key] = try value(of: key, in: section, like: defaults[key])
        }
        return BuiltInTask(
            id: id, schedule: try schedule(section),
            timeZone: try section.optional("timezone")?.timeZone("timezone") ?? timeZone,
            isEnabled: try section.bool("enabled"), policies: policies, config: config)
    }

    private func schedule(_ section: SettingsSection) throws(YAMLFailure) -> Schedule {
        let text = try section.string("schedule")
        let schedule: Schedule
        do {
            schedule = try Schedule.parse(text)
        } catch {
            // What is an option of the command line is a key here.
            let hint = error.hint.replacing("--timezone ", with: "timezone: ")
            throw try section["schedule"].failure("\(error.message); \(hint)")
        }
        guard schedule.hasDays else {
            throw try section["schedule"].failure(
                "'schedule' never fires: no year has such a day, as '\(text.prefix(64))' asks for; "
                    + "write a day that comes, as in 0 2 * * *")
        }
        return schedule
    }

    /// Reads a value of the kind that the default has.
    private func value(
        of key: String, in section: SettingsSection, like model: YAMLValue
    ) throws(YAMLFailure) -> JSONValue {
        switch model.content {
        case .scalar("true", plain: true), .scalar("false", plain: true):
            return .bool(try section.bool(key))
        case .scalar(let text, plain: true) where Int(text) != nil:
            return .int(try section.integer(key, Self.ranges[key] ?? 0...1_000_000_000))
        case .scalar(let text, plain: true) where Double(text) != nil:
            return .double(try section.number(key, 0...1_000_000_000))
        case .scalar:
            return .string(try section.string(key))
        case .list:
            var items: [JSONValue] = []
            for item in try section[key].list(key) { items.append(.string(try item.string(key))) }
            return .array(items)
        case .mapping:
            throw try section[key].failure("'\(key)' cannot be a mapping")
        }
    }
}
