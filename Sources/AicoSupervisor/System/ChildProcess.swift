// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSandbox
import LinuxSystem
import SystemPackage

/// A child known by its pidfd.
final class ChildProcess {
    let processID: Int32
    let descriptor: Descriptor

    init(processID: Int32, descriptor: consuming Descriptor) {
        self.processID = processID
        self.descriptor = consume descriptor
    }

    /// One of ours that was launched.
    convenience init(_ process: LaunchedProcess) {
        self.init(processID: process.pid, descriptor: Descriptor(owning: process.pidfd))
    }

    /// How it ended, if it has; reaps it then.
    func reap() -> WaitStatus? {
        do throws(Errno) {
            return try Pidfd.reap(descriptor.number)
        } catch {
            // Reaped elsewhere: its status is lost, its end is not.
            return .signaled(signal: SIGKILL)
        }
    }

    /// Sends a signal; a process that is gone already is fine.
    func signal(_ number: Int32) { try? Pidfd.send(number, to: descriptor.number) }

    /// How long a killed process is waited for: it ends at once, but for one that hangs in a call
    /// of a file system that does not answer.
    static let endPatience = Duration.seconds(2)

    /// Kills it; its status, or nil where it does not end in time.
    func end() -> WaitStatus? {
        signal(SIGKILL)
        return wait(for: Self.endPatience)
    }

    /// Waits for its end; nil where it takes longer.
    func wait(for timeout: Duration?) -> WaitStatus? {
        var set = PollSet()
        set.add(descriptor.number)
        _ = try? set.wait(for: timeout)
        return reap()
    }
}
