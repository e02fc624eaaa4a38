// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import StrictYAML

extension Configuration {
    /// Reads the defaults and, where it exists, `R/etc/aico/core.yaml` above them.
    ///
    /// - Throws: where the file is not exactly as docs/operations.md has it; nothing is changed.
    package static func load(root: String) throws(ConfigurationError) -> Configuration {
        let layout = InstanceLayout(root: root)
        do {
            let override = try ConfigurationFile.read(layout.configurationFile)
            return try make(layout: layout, override: override, file: layout.configurationFile)
        } catch {
            throw ConfigurationError(error)
        }
    }

    /// Checks the text of an override; of files, those of the time zones alone are read.
    package static func check(
        _ text: [UInt8], file: String, root: String
    ) throws(ConfigurationError) -> Configuration {
        do {
            return try make(layout: InstanceLayout(root: root), override: text, file: file)
        } catch {
            throw ConfigurationError(error)
        }
    }

    private static func make(
        layout: InstanceLayout, override: [UInt8]?, file: String
    ) throws(YAMLFailure) -> Configuration {
        let defaults = try StrictYAML.parse(
            DefaultConfiguration.bytes, file: DefaultConfiguration.file)
        var settings = defaults
        var namesIdentities = !layout.root.isEmpty
        if let override {
            let value = try StrictYAML.parse(override, file: file)
            settings = try SettingsMerge.merge(defaults, value)
            let keys = try value.entries("").map(\.key)
            namesIdentities = namesIdentities || keys.contains("identities")
        }
        let root = try SettingsSection(settings, name: "")
        let scheduler = try SchedulerSettings(root.section("scheduler"))
        let tasks = BuiltInTaskReader(
            defaults: try SettingsSection(defaults, name: "").section("tasks"),
            policies: scheduler.defaultPolicies, timeZone: scheduler.timeZone)
        let identities = try UserIdentities(root.section("identities"))
        return Configuration(
            scheduler: scheduler,
            builtInTasks: try tasks.read(
                root.section("tasks"), modules: modules(root.section("scheduler"))),
            logging: try LoggingSettings(root.section("logging")),
            bus: try BusSettings(root.section("bus")),
            health: try HealthSettings(root.section("health")),
            identities: namesIdentities ? identities : nil, layout: layout)
    }

    /// The sections of `tasks` that `task_modules` names, as `aico.scheduler.tasks.<section>`.
    private static func modules(_ section: SettingsSection) throws(YAMLFailure) -> Set<String> {
        let prefix = "aico.scheduler.tasks."
        let known = TaskClass.allCases.map { prefix + $0.name }
        var modules: Set<String> = []
        for item in try section["task_modules"].list("task_modules") {
            let name = try item.string("task_modules")
            guard known.contains(name) else {
                throw item.failure(
                    "unknown task module '\(name.prefix(64))'",
                    nearest: nearestWord(to: name, among: known))
            }
            modules.insert(String(name.dropFirst(prefix.count)))
        }
        return modules
    }
}
