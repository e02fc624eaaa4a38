// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
package import SystemPackage

/// A look at what a plan grants of the host, before anything is launched.
package enum GrantCheck {
    /// A path that attempts would be refused for.
    package struct Finding: Sendable, Equatable, CustomStringConvertible {
        /// The path, as the profile names it.
        package var path: String
        /// Why; `.timedOut` where it gives no answer.
        package var errno: Errno

        /// One line, as `'/srv/backup' cannot be shown: No such file or directory`.
        package var description: String {
            errno == .tooManySymbolicLinkLevels
                ? "'\(path)' leads over a link that others than root can change"
                : "'\(path)' cannot be shown: \(errno)"
        }
    }

    /// How long all of it may take.
    private static let patience = Duration.seconds(3)

    /// What one message of the looking process says; a positive error is an errno.
    private struct Word: BitwiseCopyable {
        static let looking: Int32 = -1
        var index: UInt32
        var error: Int32
    }

    /// Looks by a process of its own, which is killed where a path gives no answer.
    ///
    /// The caller is root and single-threaded. What may be missing is passed over.
    package static func findings(_ plan: Plan) throws(Errno) -> [Finding] {
        let pair = try MessageSocket.Pair()
        let ours = pair.ours
        let theirs = pair.theirs
        let pid = aico_fork()
        if pid == 0 { look(plan, theirs) }
        guard pid > 0 else { throw Errno(rawValue: errno) }
        let process = LaunchedProcess(pid: pid, pidfd: aico_pidfd_open(pid))
        theirs.close()
        defer { process.end() }
        return try collect(ours, plan)
    }

    private static func collect(
        _ socket: borrowing MessageSocket, _ plan: Plan
    ) throws(Errno) -> [Finding] {
        let deadline = Clock.monotonic + patience
        var findings: [Finding] = []
        var lookedAt: UInt32?
        func add(_ index: UInt32, _ errno: Errno) {
            guard plan.mounts.indices.contains(Int(index)) else { return }
            findings.append(Finding(path: plan.mounts[Int(index)].source, errno: errno))
        }
        while true {
            var waiting = PollSet()
            waiting.add(socket.descriptor.number)
            guard try waiting.wait(for: max(.zero, deadline - Clock.monotonic)) == 1 else {
                if let lookedAt { add(lookedAt, .timedOut) }
                return findings
            }
            var word = Word(index: 0, error: 0)
            switch try socket.receive(into: &word) {
            case .message where word.error == Word.looking: lookedAt = word.index
            case .message: add(word.index, Errno(rawValue: word.error))
            case .nothing: continue
            default: return findings
            }
        }
    }

    private static func look(_ plan: Plan, _ socket: consuming MessageSocket) -> Never {
        for (index, mount) in plan.mounts.enumerated() {
            guard mount.kind == .bindReadOnly || mount.kind == .bindWritable, !mount.ifExists
            else { continue }
            var word = Word(index: UInt32(index), error: Word.looking)
            try? socket.send(value: word)
            var followed: Int32 = 0
            if aico_grant_open(mount.source, mount.kind == .bindReadOnly ? 1 : 0, &followed) < 0 {
                word.error = errno
                try? socket.send(value: word)
            }
        }
        _exit(0)
    }
}
