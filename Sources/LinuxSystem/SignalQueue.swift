// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import CLinux
internal import Glibc
package import SystemPackage

/// Signals taken as what can be read, not by a handler (signalfd(2)).
package struct SignalQueue: ~Copyable {
    /// Readable while a signal waits.
    package let descriptor: Descriptor

    /// Blocks signals in this thread, and those that it starts, and queues them instead.
    package init(of numbers: CInt...) throws(Errno) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        sigprocmask(SIG_BLOCK, &signals, nil)
        descriptor = try Descriptor(.signalfd) {
            signalfd(-1, &signals, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        }
    }

    /// Takes all that wait.
    package func drain() {
        var signal = signalfd_siginfo()
        withUnsafeMutableBytes(of: &signal) { room in
            while let count = try? descriptor.file.take(into: room), count > 0 {}
        }
    }
}
