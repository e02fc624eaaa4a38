// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc

/// Remembers when the database was last checked in full, in a file beside it.
struct FullCheckMark {
    var path: String

    /// The last full check; nil where none is known.
    var last: Instant? {
        guard let text = TextFile.read(path, limit: 64),
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
        let temporary = path + ".new"
        _ = unlink(temporary)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = open(temporary, flags, 0o640)
        guard descriptor >= 0 else { return false }
        let text = Array("\(now.iso8601)\n".utf8)
        let written = text.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        guard written == text.count, rename(temporary, path) == 0 else {
            _ = unlink(temporary)
            return false
        }
        return true
    }
}
