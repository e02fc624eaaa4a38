// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Paths as every process reads them, wherever it stands.
enum AbsolutePath {
    /// The path from the root on, without `.`, `..` and links where it exists.
    static func of(_ path: String) -> String {
        if let found = realpath(path, nil) {
            defer { free(found) }
            return String(cString: found)
        }
        var parts: [Substring] = []
        let whole = path.hasPrefix("/") ? path : "\(workingDirectory())/\(path)"
        for part in whole.split(separator: "/") {
            switch part {
            case ".": break
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    private static func workingDirectory() -> String {
        guard let found = getcwd(nil, 0) else { return "" }
        defer { free(found) }
        return String(cString: found)
    }
}
