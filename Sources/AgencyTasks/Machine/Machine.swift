// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
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
    /// Asks sysinfo(2).
    static func read() -> Double? {
        let load = aico_load_average()
        return load < 0 ? nil : load
    }
}
