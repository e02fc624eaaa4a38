// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// The calling thread's errno.
func lastErrno() -> Int32 { errno }

/// The system's words for an errno.
enum ErrnoText {
    /// As strerror(3); the supervisor has one thread.
    static func of(_ code: Int32) -> String {
        guard let text = strerror(code) else { return "errno \(code)" }
        return String(cString: text)
    }
}
