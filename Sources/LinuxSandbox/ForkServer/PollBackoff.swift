// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// When something that no event tells of is looked at again: at once, after 1 ms, then after twice
/// the time before, up to a longest.
struct PollBackoff {
    /// The next look, in nanoseconds of the monotonic clock.
    private(set) var next: UInt64 = 0
    private var pause: UInt64 = 1_000_000
    private let longest: UInt64

    init(longestPause: UInt64) { longest = longestPause }

    /// Whether the pauses have grown to the longest.
    var areRare: Bool { pause >= longest }

    /// Puts the next look off.
    mutating func postpone() {
        next = monotonicNanoseconds() + pause
        pause = min(pause * 2, longest)
    }
}
