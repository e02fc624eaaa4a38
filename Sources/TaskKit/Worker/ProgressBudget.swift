// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Bounds how often one attempt reports progress; what comes between is dropped.
struct ProgressBudget: Sendable, Equatable {
    /// Reports that may come at once after a pause.
    static let burst = 20.0
    /// Reports a second in the long run.
    static let rate = 10.0

    private var tokens = burst
    private var last: ContinuousClock.Instant

    init(now: ContinuousClock.Instant) { last = now }

    /// Whether a report may pass.
    mutating func admit(now: ContinuousClock.Instant) -> Bool {
        tokens = min(Self.burst, tokens + (now - last) / .seconds(1) * Self.rate)
        last = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
