// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Processes that a task's command left running when it ended, and that were killed then.
///
/// The task process counts and names them; what it says is hostile until it was checked here.
package struct LeftBehind: Sendable, Hashable {
    /// The most names that are kept; more processes than that are only counted.
    package static let maximumNames = 8
    /// The longest name: of the kernel's comm, without its end mark (proc(5)).
    package static let maximumNameBytes = 15
    /// More than a pid namespace can hold.
    private static let maximumCount: UInt32 = 1 << 22

    /// How many there were when the command ended, as far as they could be seen; at least 1.
    package let count: UInt32
    /// Their names, each once, in order of their numbers.
    package let names: [String]

    /// Checks what was said; nil where it cannot be, or was not cleaned.
    package init?(count: UInt32, names: [String]) {
        guard 1...Self.maximumCount ~= count, names.count <= min(Self.maximumNames, Int(count)),
            Set(names).count == names.count,
            names.allSatisfy({ $0.utf8.elementsEqual(Self.clean($0.utf8)) && !$0.isEmpty })
        else { return nil }
        self.count = count
        self.names = names
    }

    /// Takes names as the kernel has them, which each process chooses for itself.
    package init?(seen names: [[UInt8]]) {
        var kept: [String] = []
        for name in names {
            let name = String(decoding: Self.clean(name), as: UTF8.self)
            if kept.count < Self.maximumNames, !name.isEmpty, !kept.contains(name) {
                kept.append(name)
            }
        }
        self.init(count: UInt32(clamping: names.count), names: kept)
    }

    /// The value as JSON.
    package var json: JSONValue {
        ["count": .int(Int(count)), "names": .array(names.map { .string($0) })]
    }

    /// Printable ASCII alone, without the comma that stands between names.
    private static func clean(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        bytes.prefix(maximumNameBytes).map { byte in
            0x21...0x7E ~= byte && byte != 0x2C ? byte : 0x3F
        }
    }
}
