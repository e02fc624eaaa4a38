// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Bounds what one attempt can put into the log: a rate with a burst, and a total.
///
/// Dropping is noted by a line of the log; without a bound a loop around `echo` would fill the
/// store and starve the other attempts of its class.
struct LogBudget: Sendable, Equatable {
    /// Lines that may come at once after a pause.
    static let burst = 5_000.0
    /// Lines a second in the long run.
    static let rate = 500.0
    /// Bytes of text in all.
    static let totalBytes = 8 * 1024 * 1024

    private var tokens = burst
    private var last: ContinuousClock.Instant
    private var bytesLeft = totalBytes
    /// Lines dropped since the last note.
    private(set) var dropped = 0

    init(now: ContinuousClock.Instant) { last = now }

    /// What becomes of a line.
    enum Decision: Equatable {
        /// It is passed on; `note` comes before it where lines were dropped.
        case pass(note: String?)
        /// It is dropped.
        case drop
    }

    /// Decides about a line of `bytes` bytes.
    mutating func admit(bytes: Int, now: ContinuousClock.Instant) -> Decision {
        tokens = min(Self.burst, tokens + (now - last) / .seconds(1) * Self.rate)
        last = now
        guard tokens >= 1, bytesLeft >= bytes else {
            dropped += 1
            return .drop
        }
        tokens -= 1
        bytesLeft -= bytes
        // After a drop only a refilled tenth of the burst opens the tap again: one note, not one
        // for every second line.
        guard dropped > 0 else { return .pass(note: nil) }
        guard tokens >= Self.burst / 10 else {
            tokens += 1
            bytesLeft += bytes
            dropped += 1
            return .drop
        }
        return .pass(note: takeNote())
    }

    /// The note about what was dropped and not yet said, for the attempt's end.
    mutating func takeNote() -> String? {
        guard dropped > 0 else { return nil }
        defer { dropped = 0 }
        return "\(dropped) lines dropped: above \(Int(Self.rate)) lines a second "
            + "or \(Self.totalBytes / 1_048_576) MiB in all"
    }
}
