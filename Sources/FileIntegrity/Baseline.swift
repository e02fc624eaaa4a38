// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import LinuxSystem

/// Says why a baseline cannot be trusted or read.
package struct BaselineError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with it.
    package var reason: String
    /// The reason as a sentence.
    package var description: String { "cannot use the baseline: \(reason)" }

    package init(reason: String) { self.reason = reason }
}

/// What was recorded of the instance's files at the scheduler's start.
package struct Baseline: Equatable {
    /// No baseline's text is longer.
    package static let maximumBytes = 16 << 20

    /// By path.
    package var files: [String: FileFacts]

    /// Looks at files now.
    ///
    /// - Parameters:
    ///   - paths: what is recorded; what is gone by now is left out.
    ///   - unreadable: is told the path and the reason of what cannot be read. It is left out too:
    ///     one such file must not end the check of all others, which calls it new.
    ///   - shown: gives the path under which the checking task sees a file.
    /// - Throws: a `BaselineError` where nothing can be read.
    package init(
        recording paths: [String], unreadable: (String, String) -> Void = { _, _ in },
        shown: (String) -> String
    ) throws(BaselineError) {
        files = [:]
        for path in paths {
            do {
                files[shown(path)] = try TrustedFile(path).facts()
            } catch let error as SystemError {
                if error.isMissing { continue }
                unreadable(path, error.reason)
            } catch {
                unreadable(path, "\(error)")
            }
        }
        guard !files.isEmpty || paths.isEmpty else {
            throw BaselineError(reason: "none of its files can be read")
        }
    }

    /// The JSON text that `init(_:directories:)` reads.
    package func serialized() -> [UInt8] {
        let entries = files.sorted { $0.key < $1.key }.map { path, facts -> JSONValue in
            [
                "path": .string(path), "uid": .int(Int(facts.uid)), "gid": .int(Int(facts.gid)),
                "mode": .int(Int(facts.mode)), "size": .int(Int(facts.bytes)),
                "sha256": .string(facts.sha256),
            ]
        }
        return JSONValue.object(["version": 1, "files": .array(entries)]).serialized()
    }

    /// Reads the JSON text; every file must lie below one of `directories`.
    package init(_ bytes: [UInt8], directories: [String]) throws(BaselineError) {
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
package enum SafePath {
    /// The names of an absolute path; nil where one is empty, `.` or `..`, or has a NUL.
    package static func parts(_ path: String) -> [String]? {
        guard path.utf8.first == 0x2F, path.utf8.count <= 4096, !path.utf8.contains(0) else {
            return nil
        }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .map(String.init)
        return parts.contains { ["", ".", ".."].contains($0) } ? nil : parts
    }
}
