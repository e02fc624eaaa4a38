// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// The command line: all the text that the supervisor reads.
struct Arguments: Equatable {
    /// `--root`, absolute and without a trailing slash; empty for an installed system.
    var root = ""
    /// `--profiles`; nil for the default beside the executables.
    var profiles: String?
    /// `--check`: compile, check and exit.
    var isCheck = false

    /// What `--help` prints.
    static let usage = "usage: aico-supervisor [--root DIR] [--profiles DIR] [--check]"

    /// A command line that is none of ours; the text says why.
    struct Refusal: Error, Equatable {
        var text: String
    }

    init() {}

    /// Reads the words after the program's name; `environment` gives AICO_ROOT and AICO_PROFILES.
    init(
        _ words: [String], environment: (String) -> String?
    ) throws(Refusal) {
        if let value = environment("AICO_ROOT"), !value.isEmpty {
            root = try Self.directory(value, "AICO_ROOT")
            try Self.checkLength(of: root, "AICO_ROOT")
        }
        if let value = environment("AICO_PROFILES"), !value.isEmpty {
            profiles = try Self.directory(value, "AICO_PROFILES")
        }
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--root":
                root = try Self.directory(rest.popFirst(), word)
                try Self.checkLength(of: root, word)
            case "--profiles":
                profiles = try Self.directory(rest.popFirst(), word)
            case "--check":
                isCheck = true
            default:
                throw Refusal(text: "unknown argument '\(word)'")
            }
        }
    }

    /// The sockets below a root have its path in their addresses, of 107 bytes at most (unix(7)).
    static let maximumRootBytes: Int = {
        // A worker's number has two digits at most.
        let longest = InstanceDirectory.workerPipes.path(under: "")
        return 107 - "\(longest)/\(WorkerID.maximumCount - 1)/reports".utf8.count
    }()

    private static func checkLength(of root: String, _ name: String) throws(Refusal) {
        guard root.utf8.count > maximumRootBytes else { return }
        throw Refusal(
            text: "\(name) has \(root.utf8.count) bytes, and at most \(maximumRootBytes) leave "
                + "room for the sockets below it; choose a shorter path than '\(root)'")
    }

    private static func directory(_ value: String?, _ name: String) throws(Refusal) -> String {
        guard let value else { throw Refusal(text: "\(name) needs a directory") }
        guard value.utf8.first == 0x2F, value.utf8.count <= 1024 else {
            throw Refusal(text: "\(name) needs an absolute path, not '\(value)'")
        }
        let parts = value.split(separator: "/")
        guard !parts.contains("."), !parts.contains("..") else {
            throw Refusal(text: "\(name) needs a path without '.' and '..', not '\(value)'")
        }
        return parts.isEmpty ? "" : "/" + parts.joined(separator: "/")
    }
}
