// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import Glibc
package import SystemPackage

/// How a process ended, as waitpid(2) tells it.
package enum WaitStatus: Sendable, Hashable {
    case exited(code: Int32)
    case signaled(signal: Int32)

    /// Decodes the status word of waitpid(2).
    package init(_ word: Int32) {
        let signal = word & 0x7F
        self = signal == 0 ? .exited(code: word >> 8 & 0xFF) : .signaled(signal: signal)
    }

    /// The status word that waitpid(2) gives for it.
    package var word: Int32 {
        switch self {
        case .exited(let code): code << 8
        case .signaled(let signal): signal
        }
    }

    /// Waits for a child; nil where it runs and `isPatient` is false.
    package static func take(
        _ processID: pid_t, isPatient: Bool
    ) throws(Errno) -> WaitStatus? {
        var word: Int32 = 0
        let found = try system(.wait) {
            Int(waitpid(processID, &word, isPatient ? 0 : WNOHANG))
        }
        return found == 0 ? nil : WaitStatus(word)
    }

    /// The next child of all that ended; nil where those that are left run.
    ///
    /// - Parameter isReaped: else it is told again, until it is waited for.
    /// - Throws: `.noChildProcess` where none is left.
    package static func nextEnded(isReaped: Bool) throws(Errno) -> pid_t? {
        var info = siginfo_t()
        let flags = WEXITED | WNOHANG | (isReaped ? 0 : WNOWAIT)
        _ = try system(.wait) { Int(waitid(P_ALL, 0, &info, flags)) }
        let child = info._sifields._kill.si_pid
        return child == 0 ? nil : child
    }
}
