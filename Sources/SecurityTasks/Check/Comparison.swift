// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import FileIntegrity
import LinuxSystem
import TaskKit

/// Compares files with what a baseline says of them.
struct Comparison {
    let baseline: Baseline
    /// The directory of the executables.
    let programs: String
    let directories: [String]
    /// Paths, and what lies below them, that are not looked at.
    let ignored: [String]
    let context: TaskContext

    private(set) var differences: [Difference] = []
    private(set) var files = 0
    private(set) var bytes: Int64 = 0

    init(
        baseline: Baseline, programs: String, directories: [String], ignored: [String],
        context: TaskContext
    ) {
        self.baseline = baseline
        self.programs = programs
        self.directories = directories
        self.ignored = ignored
        self.context = context
    }

    /// Looks at every recorded file, then for files that nobody recorded.
    mutating func run() throws {
        let recorded = baseline.files.filter { !isIgnored($0.key) }.sorted { $0.key < $1.key }
        for (index, file) in recorded.enumerated() {
            if let difference = try compare(file.key, file.value) { differences.append(difference) }
            context.progress(Double(index + 1) / Double(recorded.count), file.key)
        }
        var found = try new(in: programs) { try FileTree.programs(in: programs) }
        for directory in directories {
            found += try new(in: directory) {
                try FileTree.paths(below: directory, context.checkCancellation)
            }
        }
        differences += found
    }

    /// The files of a directory that nobody recorded.
    private func new(in directory: String, _ paths: () throws -> [String]) throws -> [Difference] {
        do {
            // A file on its way to its final name is gone by now.
            return try paths().filter {
                baseline.files[$0] == nil && !isIgnored($0) && isStillThere($0)
            }.map { .new($0) }
        } catch let error as SystemError {
            return [.unreadable(directory, error.reason)]
        }
    }

    private mutating func compare(_ path: String, _ recorded: FileFacts) throws -> Difference? {
        do {
            let file = try TrustedFile(path)
            let facts = try file.facts(context.checkCancellation)
            files += 1
            bytes += facts.bytes
            let what = facts.differences(from: recorded)
            return what.isEmpty ? nil : .changed(path, what)
        } catch let error as SystemError {
            if error.isMissing { return .missing(path) }
            if error.isLink { return .changed(path, ["a link, or reached through one"]) }
            return .unreadable(path, error.reason)
        }
    }

    private func isStillThere(_ path: String) -> Bool {
        // Listed, and not to be found by what is shown of its name.
        if path.unicodeScalars.contains(FileTree.replacement) { return true }
        do {
            _ = try TrustedFile(path)
            return true
        } catch {
            return !error.isMissing
        }
    }

    private func isIgnored(_ path: String) -> Bool {
        ignored.contains { path == $0 || path.hasPrefix($0 + "/") }
    }
}
