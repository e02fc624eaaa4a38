// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How often and when a failed execution is tried again.
package struct RetryPolicy: Sendable, Hashable {
    /// Attempts after the first.
    package var count: Int
    /// Before the first of them.
    package var delay: Duration
    /// Each delay is the one before times this.
    package var factor: Double
    /// No delay is longer.
    package var maximumDelay: Duration
    /// At most this much is added, so that what failed together does not come back together.
    package var jitter: Duration

    /// Makes a policy; the defaults are those of the requirements.
    package init(
        count: Int = 3, delay: Duration = .seconds(60), factor: Double = 2,
        maximumDelay: Duration = .seconds(3600), jitter: Duration = .zero
    ) {
        self.count = count
        self.delay = delay
        self.factor = factor
        self.maximumDelay = maximumDelay
        self.jitter = jitter
    }

    /// Gives the delay after `attempts` failed attempts; nil where no retry is left.
    ///
    /// `seed` decides the jitter: the same gives the same.
    package func delay(afterAttempts attempts: Int, seed: String) -> Duration? {
        guard attempts >= 1, attempts <= count else { return nil }
        let limit = Double(maximumDelay.wholeMicroseconds)
        var microseconds = Double(delay.wholeMicroseconds)
        for _ in 1..<attempts where microseconds < limit { microseconds *= factor }
        microseconds = min(microseconds, limit)
        let base = Duration.microseconds(Int64(microseconds.isFinite ? max(0, microseconds) : 0))
        return base + StableJitter.offset(of: "\(seed)#\(attempts)", upTo: jitter)
    }
}

/// Offsets that look random and are the same each time.
package enum StableJitter {
    /// Gives an offset from zero up to `maximum`, decided by the text alone.
    package static func offset(of text: String, upTo maximum: Duration) -> Duration {
        let limit = maximum.wholeMicroseconds
        guard limit > 0 else { return .zero }
        // FNV-1a with the finaliser of splitmix64, for texts that differ in one byte.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        hash ^= hash >> 31
        return .microseconds(Int64(hash % UInt64(limit + 1)))
    }
}
