// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import Glibc
import LinuxSystem
import SchedulerCore

/// The wall clock and its one timer.
final class WallClock {
    /// Becomes readable when the timer fires or the clock is set.
    var descriptor: Int32 { timer.number }
    private let timer: Descriptor
    private var armedFor: Instant?

    init() throws(SchedulerError) {
        let made = aico_wall_timer()
        guard made >= 0 else { throw .system("make", "wall clock timer") }
        timer = Descriptor(owning: made)
    }

    /// Now.
    static var now: Instant { Instant(microseconds: Clock.wall.wholeMicroseconds) }

    /// Time since the machine's start, sleep included.
    static var uptime: Duration { Clock.boot }

    /// Both clocks, as the core is told them.
    static var time: Time { Time(wall: now, boot: uptime) }

    /// For how long the machine was suspended since its boot: the monotonic clock stood still.
    static var suspended: Duration { Clock.boot - Clock.monotonic }

    /// Arms the timer for an instant; no call where it is armed for it already.
    func arm(for instant: Instant) throws(SchedulerError) {
        guard armedFor != instant else { return }
        // A clock that was set since the last take answers ECANCELED once and arms all the same.
        if aico_wall_timer_set(descriptor, instant.microseconds) != 0, errno != ECANCELED {
            throw .system("arm", "wall clock timer")
        }
        armedFor = instant
    }

    /// Takes what the timer has to say; true where the clock was set.
    func take() -> Bool {
        let happened = aico_wall_timer_take(descriptor)
        if happened != 0 { armedFor = nil }
        return happened == 2
    }
}
