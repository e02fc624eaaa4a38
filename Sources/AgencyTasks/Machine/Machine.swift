// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// What a run asks of the machine, so that tests can answer.
struct Machine {
    var now: () -> ContinuousClock.Instant
    /// The load average of one minute; nil where the kernel does not say.
    var load: () -> Double?
    var processors: Int

    /// The machine that this process runs on.
    static var real: Machine {
        Machine(
            now: { .now }, load: LoadAverage.read,
            processors: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }
}

/// The load average without /proc, of which a task sees its own processes only.
enum LoadAverage {
    private typealias Call = @convention(c) (UnsafeMutableRawPointer) -> Int32

    /// Asks sysinfo(2).
    ///
    /// The Glibc module leaves sys/sysinfo.h out, so the function is found by name. The structure
    /// begins with the uptime and three load averages in 1/65536, a machine word each.
    static func read() -> Double? {
        guard MemoryLayout<Int>.size == 8, let symbol = dlsym(nil, "sysinfo") else { return nil }
        let call = unsafeBitCast(symbol, to: Call.self)
        // The structure has 112 bytes.
        var words = [UInt](repeating: 0, count: 64)
        let result = words.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map(call) ?? -1
        }
        return result == 0 ? Double(words[1]) / 65536 : nil
    }
}
