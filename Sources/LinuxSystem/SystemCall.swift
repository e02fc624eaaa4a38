// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
package import SystemPackage

/// The calls of the kernel that this module makes, by the name of their man page.
///
/// A test makes one of them fail by its name: see `ForcedErrno`.
package enum SystemCall: String, Sendable, CaseIterable {
    case access, dup, fchmod, fchown, flock, fstat, fsync, getdents, link, mkdir, open, pipe, pread,
        read, receive, rename, send, socketpair, stat, unlink, wait, write
}

/// The one policy for errno: a call that was interrupted is made again, everything else is thrown.
///
/// errno is read in the first expression after the call. close(2) and poll(2) do not come here:
/// a descriptor is gone whatever close says, and a wait has a deadline that goes on.
@inline(__always)
func system(_ call: SystemCall, _ body: () -> Int) throws(Errno) -> Int {
    while true {
        #if DEBUG
            if let forced = ForcedErrno.next(call) {
                if forced == .interrupted { continue }
                throw forced
            }
        #endif
        let result = body()
        if result >= 0 { return result }
        let code = Errno(rawValue: errno)
        if code != .interrupted { throw code }
    }
}

extension Errno {
    /// Whether nothing is there.
    package var isMissing: Bool { self == .noSuchFileOrDirectory || self == .notDirectory }

    /// Whether a link stands where none is followed.
    package var isLink: Bool { self == .tooManySymbolicLinkLevels }
}
