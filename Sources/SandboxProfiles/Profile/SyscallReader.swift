// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import StrictYAML

/// Collects the `syscalls` sections of a profile and its includes.
struct SyscallReader {
    private(set) var grants = SyscallGrants()
    /// Where each call stands.
    private(set) var places: [String: String] = [:]
    private var verdicts: [String: String] = [:]
    private let table = SyscallTable.native

    private static let lists = ["allow", "refuse", "unavailable"]

    mutating func read(
        _ value: YAMLValue?, without takenOut: inout TakenOut
    ) throws(ProfileError) {
        let arguments = NamedArgument.allCases.map(\.rawValue)
        let map = try value?.mapping("syscalls", keys: Self.lists + arguments) ?? [:]
        for list in Self.lists {
            for item in try map[list]?.list(list) ?? [] {
                for name in try words(item, list) where !takenOut.takes(name) {
                    try record(name, as: list, at: item)
                }
            }
        }
        for argument in NamedArgument.allCases {
            let key = argument.rawValue
            for item in try map[key]?.list(key) ?? [] {
                for name in try words(item, key) where !takenOut.takes(name) {
                    guard let number = argument.values[name] else {
                        throw item.failure(
                            "unknown value '\(name.prefix(64))' of \(key)",
                            nearest: nearestWord(to: name, among: argument.values.keys))
                    }
                    grants.arguments[argument, default: []].insert(number)
                }
            }
        }
    }

    private func words(_ item: YAMLValue, _ key: String) throws(ProfileError) -> [String] {
        try item.string(key).split(separator: " ").map(String.init)
    }

    private mutating func record(
        _ name: String, as list: String, at item: YAMLValue
    ) throws(ProfileError) {
        if let rule = TaskFilter.governed[name] {
            throw item.failure("'\(name)' may not be listed: \(rule)")
        }
        guard table.lookup(name) != .unknown else {
            throw item.failure(
                "unknown system call '\(name.prefix(64))'",
                nearest: nearestWord(to: name, among: table.names.values))
        }
        if let other = verdicts.updateValue(list, forKey: name) {
            throw item.failure(
                other == list
                    ? "'\(name)' is listed twice"
                    : "'\(name)' is listed under '\(other)' already")
        }
        guard list != "allow" || !Self.neverAllowed.contains(name) else {
            throw item.failure("'\(name)' may not be allowed to any class")
        }
        places[name] = "\(item.file):\(item.line)"
        switch list {
        case "allow": grants.allowed.insert(name)
        case "refuse": grants.refused.insert(name)
        default: grants.unavailable.insert(name)
        }
    }

    /// What leads out of a sandbox, what would undo it, and what hides from a filter.
    private static let neverAllowed = Set(WorkerFilter.denied.flatMap(\.calls))
        .union(EscapeCalls.calls).subtracting(["execve", "fork", "vfork"])
        .union([
            "clone3", "execveat", "openat2", "setgroups", "capset", "memfd_secret", "seccomp",
        ])
}
