// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem

/// Files that others read: whole or not at all.
enum ReplacedFile {
    /// Puts a file in place in one step; its owner and the directory's group may read it.
    static func write(_ bytes: [UInt8], to target: String) throws(SchedulerError) {
        let (directory, name) = parts(of: target)
        try SchedulerError.telling { () throws(SystemError) in
            try Directory(directory).replace(name, with: bytes, mode: 0o440)
        }
    }

    /// Removes one, if it is there.
    static func remove(_ target: String) throws(SchedulerError) {
        let (directory, name) = parts(of: target)
        try SchedulerError.telling { () throws(SystemError) in
            _ = try Directory(directory).remove(name)
        }
    }

    private static func parts(of path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}
