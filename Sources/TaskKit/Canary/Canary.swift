// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import Glibc

/// The hidden type of every class: tries the ways out of its own sandbox.
///
/// It runs as any attempt without declared capabilities does, before Swift's concurrency starts:
/// the descriptors that it finds are those that its confinement left.
enum Canary {
    /// Whether `type` names a class's canary.
    static func isType(_ type: String) -> Bool {
        TaskClass.allCases.contains { $0.canaryType == type }
    }

    /// Reports which ways are open, then makes the call that must end the process.
    static func run(_ socket: TaskSocket) -> Never {
        let open = EscapeCheck.allCases.filter { $0.isOpen(channel: socket.descriptor) }
        socket.send(.log(stream: .info, line: CanaryReport(open: Set(open)).line))
        // CLONE_NEWUSER of <linux/sched.h>: with a user namespace begins nearly every way up.
        _ = aico_system_call(Int(SYS_unshare), 0x1000_0000, 0, 0, 0, 0, 0)
        socket.send(.failed(permanent: true, message: "\(CanaryRules.lastCall) was not denied"))
        _exit(TaskMain.ExitCode.failed)
    }
}
