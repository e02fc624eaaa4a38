// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import CLinux
internal import Glibc
package import SystemPackage

/// Processes by descriptor: a number can be another's by now, a descriptor never is (pidfd_open(2)).
package enum Pidfd {
    /// Opens a process, close-on-exec.
    ///
    /// - Throws: `.noSuchProcess` where there is none of that number.
    package static func open(_ process: Int32) throws(Errno) -> Descriptor {
        try Descriptor(.pidfdOpen) { aico_pidfd_open(process) }
    }

    /// Sends a signal.
    ///
    /// - Throws: `.noSuchProcess` where it ended and was reaped.
    package static func send(_ signal: CInt, to pidfd: CInt) throws(Errno) {
        _ = try system(.pidfdSignal) { Int(aico_pidfd_signal(pidfd, signal)) }
    }

    /// Kills it; one that is gone already is fine.
    package static func kill(_ pidfd: CInt) { try? send(SIGKILL, to: pidfd) }

    /// Reaps a child without waiting; nil while it runs.
    ///
    /// - Throws: `.noChildProcess` where it was reaped elsewhere.
    package static func reap(_ pidfd: CInt) throws(Errno) -> WaitStatus? {
        var word: CInt = 0
        let found = try system(.wait) { Int(aico_pidfd_reap(pidfd, &word)) }
        return found == 0 ? nil : WaitStatus(word)
    }
}
