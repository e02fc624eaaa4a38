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

    let attempt: UInt64
    let slot: Int
    /// Nil where the plan lets attempts run without a cgroup.
    let cgroup: (any AttemptCgroup)?
    let startedAt: UInt64
    private(set) var pidfd: Int32
    private(set) var setup: Int32
    private(set) var listener: Int32 = -1
    private(set) var outOfMemoryEvent: Int32?
    var stage = Stage.settingUp
    /// Killed by the worker's order, so that dying during set-up is no refusal.
    var isCancelled = false
    var isDenied = false
    /// Set once the first process is reaped.
    var waitStatus: Int32?

    init(
        attempt: UInt64, slot: Int, cgroup: (any AttemptCgroup)?, pidfd: Int32, setup: Int32,
        startedAt: UInt64
    ) {
        self.attempt = attempt
        self.slot = slot
        self.cgroup = cgroup
        self.pidfd = pidfd
        self.setup = setup
        self.startedAt = startedAt
        outOfMemoryEvent = cgroup?.outOfMemoryEvent
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

    /// Whether nothing of the tree is left, killing what is.
    func isGone() -> Bool {
        guard let cgroup else { return true }
        guard let isEmpty = try? cgroup.isEmpty() else { return true }
        if !isEmpty { kill() }
        return isEmpty
    }

    func adopt(listener: Int32) { self.listener = listener }

    /// The eventfd is drained when the leaf is used again; until then it stays readable.
    func disarmOutOfMemoryEvent() { outOfMemoryEvent = nil }

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
