// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import StrictYAML

/// Lays the override above the defaults, key by key.
///
/// The defaults name every key there is: what they do not have is unknown. Lists and single values
/// are replaced as a whole. Every value keeps the file and line that it came from.
enum SettingsMerge {
    /// Keys that a task may have although its defaults do not set them.
    static let optionalTaskKeys = ["timezone", "timeout", "idle_only"]

    static func merge(
        _ defaults: YAMLValue, _ override: YAMLValue, path: [String] = []
    ) throws(YAMLFailure) -> YAMLValue {
        guard case .mapping(let known) = defaults.content else { return override }
        var merged = known
        for entry in try override.entries(path.joined(separator: ".")) {
            if let index = merged.firstIndex(where: { $0.key == entry.key }) {
                merged[index].value = try merge(
                    merged[index].value, entry.value, path: path + [entry.key])
                merged[index].line = entry.line
            } else if isTask(path), optionalTaskKeys.contains(entry.key) {
                merged.append(entry)
            } else {
                throw unknown(entry, in: override, path: path, known: known.map(\.key))
            }
        }
        return YAMLValue(content: .mapping(merged), line: override.line, file: override.file)
    }

    /// `tasks.<module>.<name>`.
    private static func isTask(_ path: [String]) -> Bool {
        path.count == 3 && path.first == "tasks"
    }

    private static func unknown(
        _ entry: YAMLEntry, in value: YAMLValue, path: [String], known: [String]
    ) -> YAMLFailure {
        let candidates = known + (isTask(path) ? optionalTaskKeys : [])
        let place = path.isEmpty ? "" : " in '\(path.joined(separator: "."))'"
        return YAMLFailure(
            file: value.file, line: entry.line,
            reason: "unknown key '\(entry.key.prefix(64))'\(place)",
            nearest: nearestWord(to: entry.key, among: candidates))
    }
}
