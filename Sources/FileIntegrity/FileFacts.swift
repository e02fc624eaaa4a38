// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What is compared of a file.
package struct FileFacts: Sendable, Equatable {
    /// Its owner.
    package var uid: UInt32
    /// Its group.
    package var gid: UInt32
    /// Kind and permissions, as stat(2) gives them.
    package var mode: UInt32
    /// The length of its content.
    package var bytes: Int64
    /// 64 lower-case hexadecimal digits.
    package var sha256: String

    /// Makes facts from what stat(2) and a hash gave.
    package init(uid: UInt32, gid: UInt32, mode: UInt32, bytes: Int64, sha256: String) {
        self.uid = uid
        self.gid = gid
        self.mode = mode
        self.bytes = bytes
        self.sha256 = sha256
    }

    /// What differs from what was recorded, in words; empty where nothing does.
    package func differences(from recorded: FileFacts) -> [String] {
        var found: [String] = []
        if uid != recorded.uid || gid != recorded.gid {
            found.append("owner \(uid):\(gid), was \(recorded.uid):\(recorded.gid)")
        }
        if mode != recorded.mode {
            found.append("mode \(Self.octal(mode)), was \(Self.octal(recorded.mode))")
        }
        if bytes != recorded.bytes {
            found.append("\(bytes) bytes, was \(recorded.bytes)")
        } else if sha256 != recorded.sha256 {
            found.append("another content of the same length")
        }
        return found
    }

    private static func octal(_ mode: UInt32) -> String {
        "0" + String(mode & 0o7777, radix: 8)
            + (mode & 0o170000 == 0o100000 ? "" : " of another kind of file")
    }
}
