// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem

/// Remembers when the database was last checked in full, in a file beside it.
struct FullCheckMark {
    var path: String

    /// The last full check; nil where none is known.
    var last: Instant? {
        guard let text = File.text(path, limit: 64),
            let line = text.split(separator: "\n").first
        else { return nil }
        return Instant(iso8601: String(line))
    }

    /// Whether a full check is due; a mark from the future, after the clock was set, counts as
    /// none.
    func isDue(now: Instant, everyHours hours: Int) -> Bool {
        guard let last, last <= now else { return true }
        return now - last >= .seconds(hours * 3600)
    }

    /// Keeps `now`; false where the file cannot be written: then the next check is full again.
    func set(_ now: Instant) -> Bool {
        let (directory, name) = FullCheckMark.split(path)
        do {
            try Directory(directory).replace(
                name, with: Array("\(now.iso8601)\n".utf8), mode: 0o640)
            return true
        } catch {
            return false
        }
    }

    private static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}
