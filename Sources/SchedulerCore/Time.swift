// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// A moment as the core is told it: both clocks at once.
///
/// Schedules follow the wall clock, which can be set; time-outs follow the boot clock, which only
/// goes forward and counts a suspend (CLOCK_BOOTTIME).
package struct Time: Sendable, Hashable {
    /// The wall clock.
    package var wall: Instant
    /// Since the machine's boot, suspends included.
    package var boot: Duration

    package init(wall: Instant, boot: Duration) {
        self.wall = wall
        self.boot = boot
    }

    /// The wall clock less the boot clock; changes only when the wall clock is set or slewed.
    var offset: Duration { .microseconds(wall.microseconds) - boot }
}
