// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// `aico-bench --bin DIR --profiles DIR [--json FILE] [--rounds N] [--seconds N] [PART...]`
struct BenchArguments {
    /// Where the executables are.
    var bin = "."
    var profiles = "sandbox-profiles"
    var json: String?
    /// How often each start is measured, interleaved with the others.
    var rounds = 300
    /// How long throughput and idleness are measured, each.
    var seconds = 30
    /// What is measured: of `allParts`.
    var parts: Set<String> = []

    private static let allParts = ["schedule", "queue", "list", "start", "floor", "system"]

    init(_ words: [String]) {
        var words = words.dropFirst()
        while let word = words.popFirst() {
            switch word {
            case "--bin": bin = Self.absolute(words.popFirst() ?? bin)
            case "--profiles": profiles = Self.absolute(words.popFirst() ?? profiles)
            case "--json": json = words.popFirst()
            case "--rounds": rounds = words.popFirst().flatMap { Int($0) } ?? rounds
            case "--seconds": seconds = words.popFirst().flatMap { Int($0) } ?? seconds
            case _ where Self.allParts.contains(word): parts.insert(word)
            default:
                complain(
                    "unknown word '\(word)'; parts: \(Self.allParts.joined(separator: " "))")
                exit(2)
            }
        }
        if parts.isEmpty { parts = Set(Self.allParts) }
    }

    private static func absolute(_ path: String) -> String {
        guard let pointer = realpath(path, nil) else { return path }
        defer { free(pointer) }
        return String(cString: pointer)
    }
}

/// Something that a benchmark needs and did not get.
struct BenchError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Writes a line to standard error.
func complain(_ text: String) {
    let line = Array("aico-bench: \(text)\n".utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}
