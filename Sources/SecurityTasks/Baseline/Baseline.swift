// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire

/// Says why a baseline cannot be trusted or read.
struct BaselineError: Error, Equatable, CustomStringConvertible {
    var reason: String
    var description: String { "cannot use the baseline: \(reason)" }
}

/// What was recorded of the instance's files at the scheduler's start.
struct Baseline: Equatable {
    static let maximumBytes = 16 << 20

    var files: [String: FileFacts]

    /// Reads the JSON text; every file must lie below one of `directories`.
    init(_ bytes: [UInt8], directories: [String]) throws(BaselineError) {
        let document: JSONValue
        do {
            document = try JSONValue.parse(bytes, maximumBytes: Self.maximumBytes)
        } catch {
            throw BaselineError(reason: error.description)
        }
        guard document["version"]?.int == 1 else {
            throw BaselineError(reason: "its version is not 1")
        }
        guard let entries = document["files"]?.array else {
            throw BaselineError(reason: "it has no list of files")
        }
        files = [:]
        for (index, entry) in entries.enumerated() {
            let (path, facts) = try Self.file(entry, index)
            guard directories.contains(where: { path.hasPrefix($0 + "/") }) else {
                throw BaselineError(reason: "\"\(path)\" is in none of the directories")
            }
            guard files.updateValue(facts, forKey: path) == nil else {
                throw BaselineError(reason: "\"\(path)\" is there twice")
            }
        }
        // Nothing to compare with would otherwise pass as nothing changed.
        guard !files.isEmpty else { throw BaselineError(reason: "it names no file") }
    }

    private static func file(
        _ entry: JSONValue, _ index: Int
    ) throws(BaselineError) -> (String, FileFacts) {
        func wrong(_ name: String) -> BaselineError {
            BaselineError(reason: "file \(index + 1) has a wrong \"\(name)\"")
        }
        guard let path = entry["path"]?.string, SafePath.parts(path) != nil else {
            throw wrong("path")
        }
        guard let uid = entry["uid"]?.int.flatMap(UInt32.init(exactly:)) else { throw wrong("uid") }
        guard let gid = entry["gid"]?.int.flatMap(UInt32.init(exactly:)) else { throw wrong("gid") }
        guard let mode = entry["mode"]?.int.flatMap(UInt32.init(exactly:)) else {
            throw wrong("mode")
        }
        guard let bytes = entry["size"]?.int, bytes >= 0 else { throw wrong("size") }
        guard let hash = entry["sha256"]?.string, hash.utf8.count == 64,
            hash.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
            })
        else { throw wrong("sha256") }
        return (
            path,
            FileFacts(uid: uid, gid: gid, mode: mode, bytes: Int64(bytes), sha256: hash)
        )
    }
}

/// Absolute paths whose parts mean nothing special.
enum SafePath {
    /// The names of an absolute path; nil where one is empty, `.` or `..`, or has a NUL.
    static func parts(_ path: String) -> [String]? {
        guard path.utf8.first == 0x2F, path.utf8.count <= 4096, !path.utf8.contains(0) else {
            return nil
        }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .map(String.init)
        return parts.contains { ["", ".", ".."].contains($0) } ? nil : parts
    }
}
