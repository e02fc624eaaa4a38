// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Files that others read: whole or not at all.
enum ReplacedFile {
    /// Puts a file in place in one step; its owner and the directory's group may read it.
    static func write(_ bytes: [UInt8], to target: String) throws(SchedulerError) {
        let temporary = target + ".new"
        unlink(temporary)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = open(temporary, flags, 0o440)
        guard file >= 0 else { throw .system("create", temporary) }
        defer { close(file) }
        guard fchmod(file, 0o440) == 0 else { throw .system("set the mode of", temporary) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("write", temporary) }
            rest = rest.dropFirst(count)
        }
        guard rename(temporary, target) == 0 else { throw .system("rename", temporary) }
    }
}
