// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import LinuxSandbox
import LinuxSystem

extension ProcessExit {
    init(_ status: WaitStatus) {
        switch status {
        case .exited(let code): self = .exited(code: code)
        case .signaled(let signal): self = .signaled(signal: signal)
        }
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
        Instant(sinceEpoch: Clock.wall)
    }
}
