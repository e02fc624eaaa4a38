// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
package import SystemPackage

/// The calls of the kernel that this module makes, by the name of their man page.
///
/// A test makes one of them fail by its name: see `ForcedErrno`.
package enum SystemCall: String, Sendable, CaseIterable {
    case access, connect, dup, eventfd, fchmod, fchown, fcntl, flock, fstat, fsync, getdents, link,
        mkdir, open, pidfdOpen, pidfdSignal, pipe, poll, pread, read, readlink, receive, rename,
        send, signalfd, socket, socketpair, stat, statfs, unlink, wait, write
}

/// The one policy for errno: a call that was interrupted is made again, everything else is thrown.
///
/// close(2) does not come here: a descriptor is gone whatever it says.
@inline(__always)
func system(_ call: SystemCall, _ body: () -> Int) throws(Errno) -> Int {
    while true {
        do throws(Errno) {
            return try once(call, body)
        } catch {
            if error != .interrupted { throw error }
        }
    }
}

/// Makes a call that is not simply made again where it was interrupted: a wait has an end.
///
/// errno is read in the first expression after the call.
@inline(__always)
func once(_ call: SystemCall, _ body: () -> Int) throws(Errno) -> Int {
    #if DEBUG
        if let forced = ForcedErrno.next(call) { throw forced }
    #endif
    let result = body()
    if result >= 0 { return result }
    throw Errno(rawValue: errno)
}

/// How much of `count` bytes a call is to ask for: all, but where a test wants short ones.
@inline(__always)
func portion(_ call: SystemCall, of count: Int) -> Int {
    #if DEBUG
        return min(count, ForcedErrno.most(call))
    #else
        return count
    #endif
}

extension Errno {
    /// Whether nothing is there.
    package var isMissing: Bool { self == .noSuchFileOrDirectory || self == .notDirectory }

    /// Whether a link stands where none is followed.
    package var isLink: Bool { self == .tooManySymbolicLinkLevels }

    /// The system's words for a number of errno(3), as `No such file or directory`.
    package static func words(_ number: CInt) -> String { Errno(rawValue: number).description }
}
