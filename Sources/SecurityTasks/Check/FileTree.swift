// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import TaskKit

/// Lists all that lies in the directories that a baseline covers.
struct FileTree {
    static let maximumDepth = 8
    static let maximumNames = 10_000

    let context: TaskContext

    /// The paths of everything below `root` that is no directory.
    func paths(below root: String, depth: Int = 0) throws -> [String] {
        try context.checkCancellation()
        guard depth < Self.maximumDepth else {
            throw FileError(reason: "\"\(root)\" lies deeper than \(Self.maximumDepth) directories")
        }
        var entries: [(name: String, isDirectory: Bool)] = []
        do {
            let directory = try TrustedFile(root, directory: true)
            entries = try directory.entries(limit: Self.maximumNames)
        } catch let error as FileError {
            // Gone between its parent's listing and now.
            guard error.isMissing, depth > 0 else { throw error }
        }
        return try entries.flatMap { entry -> [String] in
            let path = "\(root)/\(entry.name)"
            return entry.isDirectory ? try paths(below: path, depth: depth + 1) : [path]
        }
    }
}
