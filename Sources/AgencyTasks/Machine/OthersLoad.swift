// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// What the rest of the machine does while a task of one thread runs, told from the load average.
///
/// The load average of one minute is a mean in which every five seconds a share of what was fades
/// (proc(5), `/proc/loadavg`). Taking away what is left of its value at the start leaves what ran
/// since then, this task among it: how busy the machine was before is the scheduler's question.
struct OthersLoad {
    /// Before so many of the kernel's looks the mean says nothing.
    static let minimumLooks = 4
    private static let interval: Duration = .seconds(5)

    /// The load average when the task began.
    let atStart: Double
    let processors: Int

    /// The processors' share that others want, 0 to 100; nil while it is too early to say.
    func percent(load: Double, after elapsed: Duration) -> Double? {
        let looks = Int(elapsed / Self.interval)
        guard looks >= Self.minimumLooks else { return nil }
        // The kernel's looks are not in step with the task's start: there may have been one more.
        return min(percent(load, looks: looks), percent(load, looks: looks + 1))
    }

    private func percent(_ load: Double, looks: Int) -> Double {
        let kept = exp(-Double(looks) / 12)
        let running = (load - atStart * kept) / (1 - kept)
        return min(max(running - 1, 0) / Double(processors) * 100, 100)
    }
}
