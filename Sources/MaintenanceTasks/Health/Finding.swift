// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// What one check found.
struct Finding: Encodable, Equatable {
    /// The check, as `store.write_latency`.
    var name: String
    var status: HealthStatus
    /// One sentence for people.
    var message: String
    /// The measured number, where there is one.
    var value: Double?
    /// The number's unit, as `ms`.
    var unit: String?

    init(
        _ name: String, _ status: HealthStatus, _ message: String, value: Double? = nil,
        unit: String? = nil
    ) {
        self.name = name
        self.status = status
        self.message = message
        self.value = value.map { ($0 * 1000).rounded() / 1000 }
        self.unit = unit
    }

    /// A check that could not be run: not knowing is a fault of its own.
    static func unknown(_ name: String, _ reason: String) -> Finding {
        Finding(name, .degraded, "cannot be checked: \(reason)")
    }
}

/// Two limits of a number: the second is the worse one.
struct Threshold: Equatable {
    var degraded: Double
    var critical: Double

    /// Judges a number that should be small.
    func judgeHigh(_ value: Double) -> HealthStatus {
        value >= critical ? .critical : value >= degraded ? .degraded : .healthy
    }

    /// Judges a number that should be large.
    func judgeLow(_ value: Double) -> HealthStatus {
        value < critical ? .critical : value < degraded ? .degraded : .healthy
    }
}

extension [Finding] {
    /// The worst of all; healthy where there are none.
    var worst: HealthStatus { map(\.status).max() ?? .healthy }
}
