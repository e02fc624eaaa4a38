// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc

/// The kernel's clocks.
package enum Clock {
    /// Since the epoch, as the machine's clock is set (CLOCK_REALTIME).
    package static var wall: Duration { time(CLOCK_REALTIME) }

    /// Since boot, with the time the machine slept (CLOCK_BOOTTIME).
    package static var boot: Duration { time(CLOCK_BOOTTIME) }

    /// Since boot, without the time the machine slept (CLOCK_MONOTONIC).
    package static var monotonic: Duration { time(CLOCK_MONOTONIC) }

    private static func time(_ clock: clockid_t) -> Duration {
        var time = timespec()
        // It fails for an unknown clock alone.
        clock_gettime(clock, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

extension Duration {
    /// Whole milliseconds for poll(2), rounded up so that a wait never ends early; 0 if negative.
    package var pollMilliseconds: Int32 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        if seconds > 1_000_000 { return 1_000_000_000 }
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
