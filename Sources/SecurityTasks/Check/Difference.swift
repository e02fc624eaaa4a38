// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

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
