// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What is compared of a file.
struct FileFacts: Equatable {
    var uid: UInt32
    var gid: UInt32
    /// Kind and permissions, as stat(2) gives them.
    var mode: UInt32
    var bytes: Int64
    /// 64 lower-case hexadecimal digits.
    var sha256: String

    /// What differs from what was recorded, in words; empty where nothing does.
    func differences(from recorded: FileFacts) -> [String] {
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

/// One way in which a file is not as it was recorded.
enum Difference: Equatable {
    case missing(String)
    case new(String)
    case changed(String, [String])
    /// It is there, but cannot be looked at.
    case unreadable(String, String)

    var path: String {
        switch self {
        case .missing(let path), .new(let path), .changed(let path, _), .unreadable(let path, _):
            path
        }
    }

    /// The difference as one sentence.
    var text: String {
        switch self {
        case .missing(let path): "\(path) is missing"
        case .new(let path): "\(path) is new"
        case .changed(let path, let what): "\(path) changed: \(what.joined(separator: ", "))"
        case .unreadable(let path, let why): "\(path) cannot be read: \(why)"
        }
    }
}

extension [Difference] {
    /// All in one line, of which the first few are named.
    var summary: String {
        let named = prefix(5).map(\.text).joined(separator: "; ")
        let more = count > 5 ? "; and \(count - 5) more" : ""
        return "\(count) \(count == 1 ? "difference" : "differences"): \(named)\(more)"
    }
}
