// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
internal import SystemPackage

/// Descriptors 0 to 2, which every program takes for granted and nobody promises.
package enum StandardDescriptors {
    /// Opens those that a process was started without, before anything else takes their numbers: a
    /// message would go into it, and a child would get it.
    ///
    /// - Parameter failing: opens them so that using one is an error (EBADF), for a program whose
    ///   output somebody wants; else what is written is lost.
    package static func openMissing(failing: Bool = false) {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            let direction = number == STDIN_FILENO ? O_WRONLY : O_RDONLY
            // The lowest free number is this one: those before it are open.
            let opened = open("/dev/null", failing ? direction : O_RDWR)
            // Without /dev/null nothing is safe to go on with.
            if opened != number { _exit(71) }
        }
    }

    /// Opens a terminal that output goes to anew, to be written only: children inherit standard
    /// output and error, and could read what is typed there.
    package static func keepTerminalWriteOnly() {
        for number in [STDOUT_FILENO, STDERR_FILENO] where isatty(number) == 1 {
            let flags = O_WRONLY | O_NOCTTY | O_CLOEXEC
            // Where it cannot be opened it stays as it is.
            do throws(Errno) {
                let opened = try Descriptor(.open) { open("/proc/self/fd/\(number)", flags) }
                dup2(opened.number, number)
            } catch {}
        }
    }
}
