// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Histogram

/// What the scheduler's loop counts about itself since its start.
struct Metrics {
    private(set) var turns = 0
    private(set) var busy = Duration.zero
    /// Microseconds from allowed to the task's first instruction, up to an hour, to three digits.
    private var latencies = Histogram<UInt32>(
        highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)

    mutating func count(turn: Duration) {
        turns += 1
        busy += turn
    }

    /// Counts the time from allowed to the task's first instruction.
    mutating func count(latency: Duration) {
        latencies.record(UInt64(clamping: max(1, min(latency.wholeMicroseconds, 3_600_000_000))))
    }

    /// Percentiles of the latencies; nil where there are none.
    var latency: (p50: Duration, p99: Duration, maximum: Duration)? {
        guard latencies.totalCount > 0 else { return nil }
        func at(_ percentile: Double) -> Duration {
            .microseconds(Int64(clamping: latencies.valueAtPercentile(percentile)))
        }
        return (at(50), at(99), .microseconds(Int64(clamping: latencies.max)))
    }
}
