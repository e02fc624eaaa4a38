// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// One attempt as the fork server sees it, from clone3 to the end of its tree.
final class RunningAttempt {
    /// How far it came.
    enum Stage {
        /// The set-up socket is open: nothing was reported yet.
        case settingUp
        /// `confined` was reported: the task's code runs.
        case confined
        /// `refused` was reported, or it died before a word: the process is about to be reaped.
        case stopped
    }

    /// Its number; 0 while it was made ahead and no order has come.
    private(set) var attempt: UInt64
    let slot: Int
    /// Nil where the plan lets attempts run without a cgroup.
    let cgroup: (any AttemptCgroup)?
    private(set) var startedAt: UInt64
    private(set) var pidfd: Int32
    private(set) var setup: Int32
    private(set) var listener: Int32 = -1
    /// Readable where memory ran out, in its cgroup or in the class's.
    let outOfMemoryEvent: Int32?
    /// While an OOM kill may still follow the event.
    private(set) var memoryLooks: Looks?
    /// Once its first process is reaped and others of its tree are not.
    private(set) var treeLooks = Looks(longestPause: 128_000_000)
    var stage = Stage.settingUp
    var isDenied = false
    /// Made ahead: confined, but of no attempt yet.
    private(set) var isSpare: Bool
    /// What a spare said of its layers.
    var prepared: aico_setup_report?
    /// Set once the first process is reaped.
    var waitStatus: Int32?

    init(
        attempt: UInt64?, slot: Int, cgroup: (any AttemptCgroup)?, pidfd: Int32, setup: Int32,
        startedAt: UInt64
    ) {
        self.attempt = attempt ?? 0
        isSpare = attempt == nil
        self.slot = slot
        self.cgroup = cgroup
        self.pidfd = pidfd
        self.setup = setup
        self.startedAt = startedAt
        outOfMemoryEvent = cgroup?.outOfMemoryEvent
    }

    /// Whether an order can be given to it.
    var isReadySpare: Bool { isSpare && prepared != nil && stage == .confined && waitStatus == nil }

    /// Becomes an attempt.
    func take(_ attempt: UInt64, at startedAt: UInt64) {
        self.attempt = attempt
        self.startedAt = startedAt
        isSpare = false
    }

    deinit {
        closeSetup()
        closeListener()
        close(pidfd)
    }

    /// Kills the whole tree; by its first process alone where there is no cgroup.
    func kill() {
        if let cgroup, (try? cgroup.kill()) != nil { return }
        _ = aico_pidfd_signal(pidfd, SIGKILL)
    }

    /// Whether nothing of the tree is left, killing what is and putting the next look off.
    func isGone() -> Bool {
        guard let cgroup else { return true }
        do {
            if try cgroup.isEmpty() { return true }
        } catch {
            // Only an empty cgroup can have been removed. One that cannot be read for another
            // reason, as a lack of descriptors, may hold anything.
            if error.errno == ENOENT || error.errno == ENODEV { return true }
        }
        kill()
        treeLooks.postpone()
        return false
    }

    /// Drains the event and begins to look for the kill that it announces.
    ///
    /// The event alone is no reason to end an attempt: every leaf below a class that ran out gets
    /// it, and it comes before the kernel has chosen whom to kill.
    func noteOutOfMemory() {
        var drained: UInt64 = 0
        if let outOfMemoryEvent { while read(outOfMemoryEvent, &drained, 8) == 8 {} }
        // For a quarter of a second: a cpu limit can hold up the process that ran out.
        memoryLooks = Looks(longestPause: 256_000_000)
        lookForMemoryKill()
    }

    /// Ends the whole tree once the OOM killer took a process of it.
    func lookForMemoryKill() {
        guard var looks = memoryLooks else { return }
        // Where it cannot be told it is taken for true.
        if (try? cgroup?.memoryKills()) != 0 {
            memoryLooks = nil
            return kill()
        }
        let isLast = looks.areRare
        looks.postpone()
        memoryLooks = isLast ? nil : looks
    }

    /// When it is to be looked at although nothing happens; nil where it is not.
    var nextLook: UInt64? {
        let tree = waitStatus == nil ? nil : treeLooks.next
        guard let memory = memoryLooks?.next else { return tree }
        return min(memory, tree ?? memory)
    }

    func adopt(listener: Int32) { self.listener = listener }

    func closeSetup() {
        if setup >= 0 { close(setup) }
        setup = -1
    }

    func closeListener() {
        if listener >= 0 { close(listener) }
        listener = -1
    }
}

/// Nanoseconds of CLOCK_MONOTONIC.
func monotonicNanoseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
