// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import LinuxSystem
import SystemPackage

/// Lists all that lies in the directories that a baseline covers.
package enum FileTree {
    static let maximumDepth = 8
    static let maximumNames = 10_000

    /// Stands in a listed path for what is no UTF-8: nothing is found by such a path.
    package static let replacement: Unicode.Scalar = "\u{FFFD}"

    /// The paths of everything below `root` that is no directory, and of directories whose names are
    /// no UTF-8: nothing of the system's lies in one. So are directories that may not be listed: one
    /// such must not end the look at all else.
    ///
    /// `pause` is called for each directory; what it throws ends the listing.
    package static func paths(
        below root: String, depth: Int = 0, _ pause: () throws -> Void = {}
    ) throws -> [String] {
        try pause()
        guard depth < Self.maximumDepth else {
            throw SystemError(
                "list", root,
                .untrusted("\"\(root)\" lies deeper than \(Self.maximumDepth) directories"))
        }
        var found: [(name: String, isDirectory: Bool)] = []
        do throws(SystemError) {
            found = try entries(of: root)
        } catch {
            // Gone between its parent's listing and now.
            if error.isMissing, depth > 0 { return [] }
            guard error.errno == .permissionDenied, depth > 0 else { throw error }
            return [root]
        }
        return try found.flatMap { entry -> [String] in
            let path = "\(root)/\(entry.name)"
            return entry.isDirectory ? try paths(below: path, depth: depth + 1, pause) : [path]
        }
    }

    /// The paths of the system's executables in a directory: `aico` and `aico-NAME`.
    ///
    /// A build folder holds much else that changes with every build and is never run by us.
    package static func programs(in directory: String) throws(SystemError) -> [String] {
        try entries(of: directory)
            .filter { !$0.isDirectory && isProgram($0.name) }
            .map { "\(directory)/\($0.name)" }
    }

    private static func entries(
        of path: String
    ) throws(SystemError) -> [(name: String, isDirectory: Bool)] {
        guard let parts = SafePath.parts(path) else {
            throw SystemError("open", path, .invalidArgument)
        }
        let directory = try Directory.hostRoot().directory(
            parts.joined(separator: "/"), by: .parts)
        let (entries, isAll) = try directory.entries(limit: maximumNames)
        guard isAll else {
            throw SystemError(
                "list", path, .untrusted("it has more than \(maximumNames) names"))
        }
        var found: [(name: String, isDirectory: Bool)] = []
        for entry in entries {
            let kind = try directory.kind(of: entry)
            // A name that is no UTF-8 was never recorded: it is told as it can be.
            found.append((entry.shown, kind == .directory && entry.name != nil))
        }
        return found
    }

    private static func isProgram(_ name: String) -> Bool {
        name == "aico" || name.hasPrefix("aico-") && !name.contains(".")
    }
}
