// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem

/// Looks at the machine's memory.
struct MemoryProbe {
    var available: Threshold
    var pressure: Threshold
    /// Where proc(5) is mounted.
    var proc = "/proc"

    func findings() -> [Finding] { [availability()] + [stall()].compactMap { $0 } }

    private func availability() -> Finding {
        let name = "memory.available"
        guard let text = File.text("\(proc)/meminfo") else {
            return .unknown(name, "\(proc)/meminfo cannot be read")
        }
        guard let reading = MemoryReading(meminfo: text) else {
            return .unknown(name, "\(proc)/meminfo reads differently here")
        }
        let percent = reading.availablePercent
        return Finding(
            name, available.judgeLow(percent),
            "\(reading.available >> 20) of \(reading.total >> 20) MiB are available",
            value: percent, unit: "percent")
    }

    /// nil where the kernel keeps no account of stalls: it is a build option.
    private func stall() -> Finding? {
        guard let text = File.text("\(proc)/pressure/memory") else { return nil }
        guard let reading = MemoryPressure(text) else {
            return .unknown("memory.pressure", "\(proc)/pressure/memory reads differently here")
        }
        // All waiting at once is as bad as it gets: it counts against the worse limit itself.
        let status: HealthStatus = max(
            reading.some >= pressure.degraded ? .degraded : .healthy,
            reading.full >= pressure.critical ? .critical : .healthy)
        return Finding(
            "memory.pressure", status,
            "of the last minute some waited \(reading.some) %, all \(reading.full) %",
            value: reading.some, unit: "percent")
    }
}
