// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSystem
import SystemPackage

/// What started the system and wants to hear of it: systemd, for a unit of `Type=notify`.
///
/// It is told what changed, and, where the unit has `WatchdogSec=`, twice in that time that the
/// supervisor's loop turns. What cannot be told is left: it must not hold up anything.
struct ServiceManager: ~Copyable {
    private let socket: NotifySocket
    /// Between two signs of life; nil where none are wanted.
    private let interval: Duration?
    /// When the next one is due.
    private(set) var nextSign: Duration?
    private var told: ServiceState?
    private var isReady = false

    /// What the environment names; nil where nobody wants to hear, or can.
    ///
    /// - Parameter environment: gives NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    init?(processID: Int32, environment: (String) -> String?) {
        guard let address = environment("NOTIFY_SOCKET"), !address.isEmpty else { return nil }
        do throws(Errno) {
            socket = try NotifySocket(address: address)
        } catch {
            SupervisorLog.write(
                "warning: cannot tell the service manager at '\(address)': \(error)")
            return nil
        }
        let isMeant = environment("WATCHDOG_PID").map { $0 == "\(processID)" } ?? true
        interval =
            isMeant
            ? environment("WATCHDOG_USEC").flatMap { Int64($0) }.flatMap {
                $0 > 1 ? .microseconds($0 / 2) : nil
            } : nil
        nextSign = interval.map { _ in .zero }
    }

    /// Tells what has changed since it was told last, and gives a sign of life where one is due.
    mutating func tell(_ state: ServiceState, at now: Duration) {
        var words: [String] = []
        if state != told {
            words.append("STATUS=\(state.words)")
            switch state.phase {
            case .starting: break
            case .ready where !isReady:
                isReady = true
                words.append("READY=1")
            case .ready: break
            case .stopping: if told?.phase != .stopping { words.append("STOPPING=1") }
            }
        }
        if let interval, let due = nextSign, due <= now {
            words.append("WATCHDOG=1")
            nextSign = now + interval
        }
        guard !words.isEmpty else { return }
        do throws(Errno) {
            try socket.send(words)
            told = state
        } catch {
            // Its socket is full, or it is away: told again at the next turn that comes anyway.
            if words.contains("READY=1") { isReady = false }
        }
    }
}
