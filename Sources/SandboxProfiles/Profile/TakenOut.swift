// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import StrictYAML

/// Entries of its includes that a profile goes without: the key `without`.
///
/// Each is a path, device, system call or named argument as the include writes it. One that no
/// include has is refused: it may have another name by now.
struct TakenOut {
    private var entries: [(name: String, item: YAMLValue)] = []
    private var met: Set<String> = []
    private var isOver = true

    init() {}

    init(_ value: YAMLValue?) throws(ProfileError) {
        for item in try value?.list("without") ?? [] {
            for name in try item.string("without").split(separator: " ") {
                entries.append((String(name), item))
            }
        }
        isOver = false
    }

    /// Whether an entry is to be passed over: one of an include, while these are read.
    mutating func takes(_ name: String) -> Bool {
        guard !isOver, entries.contains(where: { $0.name == name }) else { return false }
        met.insert(name)
        return true
    }

    /// The includes are read; what follows is the profile's own.
    mutating func finish() throws(ProfileError) {
        isOver = true
        for entry in entries where !met.contains(entry.name) {
            throw entry.item.failure("'\(entry.name.prefix(64))' is in none of the includes")
        }
    }
}
