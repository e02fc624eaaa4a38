// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem
package import SchedulerCore

/// Tells how busy the machine is.
package protocol ResourceMonitor: AnyObject {
    /// Gives the load since the last call, or lately; `now` is the boot clock's.
    func load(at now: Duration) -> MachineLoad
}

/// Reads `/proc/stat` and `/proc/meminfo`, at most once a second.
package final class ProcResourceMonitor: ResourceMonitor {
    /// Between two looks: a load over less time says little.
    private static let interval = Duration.seconds(1)
    /// Between the first two: nothing that depends on the load starts before the second. A processor
    /// is counted in ticks of 10 ms, so that less would tell little.
    private static let firstInterval = Duration.milliseconds(60)

    private let directory: String
    private var last: (at: Duration, busy: UInt64, all: UInt64)?
    private var known = MachineLoad.notYet

    /// Makes a monitor over `directory`, which is `/proc` in production; `now` is the boot clock's.
    package init(directory: String = "/proc", now: Duration) {
        self.directory = directory
        last = sample(at: now)
    }

    /// Gives the load between the last look and this one.
    package func load(at now: Duration) -> MachineLoad {
        let interval = known == .notYet ? Self.firstInterval : Self.interval
        if let last, now - last.at < interval { return known }
        guard let memory = memoryPercent(), let next = sample(at: now) else {
            if known == .notYet { known = .unknowable }
            return known
        }
        guard let last else {
            self.last = next
            return known
        }
        if next.all > last.all, next.busy >= last.busy {
            let cpu = Double(next.busy - last.busy) * 100 / Double(next.all - last.all)
            known = .known(Admission.Load(cpu: cpu, memory: memory))
        }
        self.last = next
        return known
    }

    /// Fields of the first line: user nice system idle iowait irq softirq; see proc(5). The next is
    /// steal: what other guests of a host take says nothing about this machine's own work.
    private func sample(at now: Duration) -> (at: Duration, busy: UInt64, all: UInt64)? {
        guard let text = File.beginning(of: "\(directory)/stat", bytes: 4096),
            let line = text.split(separator: "\n").first, line.hasPrefix("cpu ")
        else { return nil }
        let fields = line.split(separator: " ").dropFirst().prefix(7).map { UInt64($0) ?? 0 }
        guard fields.count >= 5 else { return nil }
        let all = fields.reduce(0, +)
        return (now, all - min(all, fields[3] + fields[4]), all)
    }

    private func memoryPercent() -> Double? {
        guard let text = File.beginning(of: "\(directory)/meminfo", bytes: 4096) else { return nil }
        func field(_ name: String) -> Double? {
            text.split(separator: "\n").first { $0.hasPrefix(name) }?
                .split(separator: " ").dropFirst().first.flatMap { Double($0) }
        }
        guard let total = field("MemTotal:"), let free = field("MemAvailable:"), total > 0 else {
            return nil
        }
        return max(0, (total - free) * 100 / total)
    }
}
