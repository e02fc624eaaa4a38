// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Synchronization

/// Turns Ctrl-C into a question that loops ask.
enum Interrupts {
    private static let flag = Atomic<Bool>(false)

    /// Whether Ctrl-C was pressed since `install`.
    static var wasInterrupted: Bool { flag.load(ordering: .relaxed) }

    /// Catches the first SIGINT and SIGTERM; a second one ends the process as always.
    static func install() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
            Interrupts.flag.store(true, ordering: .relaxed)
        }
        // Without SA_RESTART a waiting poll returns at once.
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
        sigaction(SIGINT, &action, nil)
        sigaction(SIGTERM, &action, nil)
    }
}
