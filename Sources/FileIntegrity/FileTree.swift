// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Lists all that lies in the directories that a baseline covers.
public enum FileTree {
    static let maximumDepth = 8
    static let maximumNames = 10_000

    /// The paths of everything below `root` that is no directory.
    ///
    /// `pause` is called for each directory; what it throws ends the listing.
    public static func paths(
        below root: String, depth: Int = 0, _ pause: () throws -> Void = {}
    ) throws -> [String] {
        try pause()
        guard depth < Self.maximumDepth else {
            throw FileError(reason: "\"\(root)\" lies deeper than \(Self.maximumDepth) directories")
        }
        var entries: [(name: String, isDirectory: Bool)] = []
        do throws(FileError) {
            entries = try TrustedFile(root, directory: true).entries(limit: Self.maximumNames)
        } catch {
            // Gone between its parent's listing and now.
            guard error.isMissing, depth > 0 else { throw error }
        }
        return try entries.flatMap { entry -> [String] in
            let path = "\(root)/\(entry.name)"
            return entry.isDirectory ? try paths(below: path, depth: depth + 1, pause) : [path]
        }
    }

    /// The paths of the system's executables in a directory: `aico` and `aico-NAME`.
    ///
    /// A build folder holds much else that changes with every build and is never run by us.
    public static func programs(in directory: String) throws(FileError) -> [String] {
        try TrustedFile(directory, directory: true).entries(limit: Self.maximumNames)
            .filter { !$0.isDirectory && isProgram($0.name) }
            .map { "\(directory)/\($0.name)" }
    }

    private static func isProgram(_ name: String) -> Bool {
        name == "aico" || name.hasPrefix("aico-") && !name.contains(".")
    }
}
