// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import Glibc

/// Tells how busy the machine is.
public protocol ResourceMonitor: AnyObject {
    /// Gives the load since the last call, or lately; nil where it cannot be known.
    func load(at now: Instant) -> Admission.Load?
}

/// Reads `/proc/stat` and `/proc/meminfo`, at most once a second.
public final class ProcResourceMonitor: ResourceMonitor {
    private let directory: String
    private var last: (at: Instant, busy: UInt64, all: UInt64)?
    private var known: Admission.Load?

    /// Makes a monitor over `directory`, which is `/proc` in production.
    ///
    /// It knows nothing in its first second: what a start takes says little about the machine.
    public init(directory: String = "/proc", now: Instant) {
        self.directory = directory
        last = sample(at: now)
    }

    /// Gives the load between the last look and this one.
    public func load(at now: Instant) -> Admission.Load? {
        if let last, now - last.at < .seconds(1), now >= last.at { return known }
        guard let memory = memoryPercent(), let next = sample(at: now) else { return known }
        var cpu = known?.cpu ?? 0
        if let last, next.all > last.all, next.busy >= last.busy {
            cpu = Double(next.busy - last.busy) * 100 / Double(next.all - last.all)
        }
        last = next
        known = Admission.Load(cpu: cpu, memory: memory)
        return known
    }

    /// Fields of the first line: user nice system idle iowait irq softirq; see proc(5). The next is
    /// steal: what other guests of a host take says nothing about this machine's own work.
    private func sample(at now: Instant) -> (at: Instant, busy: UInt64, all: UInt64)? {
        guard let text = SmallFile.read("\(directory)/stat", limit: 4096),
            let line = text.split(separator: "\n").first, line.hasPrefix("cpu ")
        else { return nil }
        let fields = line.split(separator: " ").dropFirst().prefix(7).map { UInt64($0) ?? 0 }
        guard fields.count >= 5 else { return nil }
        let all = fields.reduce(0, +)
        return (now, all - min(all, fields[3] + fields[4]), all)
    }

    private func memoryPercent() -> Double? {
        guard let text = SmallFile.read("\(directory)/meminfo", limit: 4096) else { return nil }
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

/// Reads the beginning of a file.
enum SmallFile {
    static func read(_ path: String, limit: Int) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
