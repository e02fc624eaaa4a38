// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import LinuxSandbox

extension ProcessExit {
    /// Reads a status as wait(2) gives it.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7F
        self =
            signal == 0
            ? .exited(code: waitStatus >> 8 & 0xFF) : .signaled(signal: signal)
    }

    /// For people.
    var words: String {
        switch self {
        case .exited(let code): "exited with code \(code)"
        case .signaled(let signal): "ended by signal \(signal)"
        case .notStarted: "no process came to be"
        }
    }
}

extension ResourceUsage {
    /// Puts together what the fork server measured.
    init(_ wall: Duration, _ usage: CgroupUsage) {
        self.init(
            wall: wall,
            userCPU: .microseconds(Int64(clamping: usage.userMicroseconds)),
            systemCPU: .microseconds(Int64(clamping: usage.systemMicroseconds)),
            peakMemoryBytes: usage.peakMemoryBytes, peakProcesses: usage.peakProcesses,
            processLimitHits: usage.processLimitHits)
    }
}

extension Instant {
    /// The wall clock's time.
    static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(
            microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
