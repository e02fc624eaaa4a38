// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// One attempt as the fork server sees it, from clone3 to the end of its tree.
final class RunningAttempt {
    /// How far it came.
    enum State {
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
    /// The name of its directory of a /tmp that its class shares.
    let temporary: String?
    private(set) var startedAt: UInt64
    private let process: Descriptor
    private var setupSocket: MessageSocket?
    private var listenerDescriptor: Descriptor?
    /// Its mount namespace, which outlives it for a moment; nil where it has none of its own.
    private var namespaceDescriptor: Descriptor?
    /// Readable where memory ran out, in its cgroup or in the class's.
    let outOfMemoryEvent: Int32?
    /// While an OOM kill may still follow the event.
    private(set) var memoryBackoff: PollBackoff?
    /// Once its first process is reaped and others of its tree are not.
    private(set) var treeBackoff = PollBackoff(longestPause: 128_000_000)
    /// What its class is granted and it does not find.
    var lack: GrantLack?
    var state = State.settingUp
    var isDenied = false
    /// How often it was refused memory to be written and run.
    var codeMemoryRefusals: UInt64 = 0
    /// Made ahead: confined, but of no attempt yet.
    private(set) var isStandby: Bool
    /// What a standby said of its layers.
    var prepared: aico_setup_report?
    /// Set once the first process is reaped.
    var waitStatus: Int32?

    init(
        attempt: UInt64?, slot: Int, cgroup: (any AttemptCgroup)?, pidfd: Int32,
        setup: consuming MessageSocket?, temporary: String? = nil,
        startedAt: UInt64
    ) {
        self.attempt = attempt ?? 0
        isStandby = attempt == nil
        self.slot = slot
        self.cgroup = cgroup
        self.temporary = temporary
        process = Descriptor(owning: pidfd)
        setupSocket = consume setup
        self.startedAt = startedAt
        outOfMemoryEvent = cgroup?.outOfMemoryEvent
    }

    /// Whether an order can be given to it.
    var isReadyStandby: Bool {
        isStandby && prepared != nil && state == .confined && waitStatus == nil
    }

    /// Becomes an attempt.
    func take(_ attempt: UInt64, at startedAt: UInt64) {
        self.attempt = attempt
        self.startedAt = startedAt
        isStandby = false
    }

    /// For a poll set, and to kill and reap it by.
    var pidfd: Int32 { process.number }
    /// For a poll set; -1 once it is closed.
    var setup: Int32 { setupSocket?.descriptor.number ?? -1 }
    /// For a poll set; -1 where it denies nothing, or no longer tells.
    var listener: Int32 { listenerDescriptor?.number ?? -1 }

    /// Kills the whole tree; by its first process alone where there is no cgroup.
    func kill() {
        if let cgroup, (try? cgroup.kill()) != nil { return }
        Pidfd.kill(pidfd)
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
        treeBackoff.postpone()
        return false
    }

    /// Drains the event and begins to look for the kill that it announces.
    ///
    /// The event alone is no reason to end an attempt: every leaf below a class that ran out gets
    /// it, and it comes before the kernel has chosen whom to kill.
    func noteOutOfMemory() {
        if let outOfMemoryEvent { _ = try? EventCounter.take(from: outOfMemoryEvent) }
        // For a quarter of a second: a cpu limit can hold up the process that ran out.
        memoryBackoff = PollBackoff(longestPause: 256_000_000)
        lookForMemoryKill()
    }

    /// Ends the whole tree once the OOM killer took a process of it.
    func lookForMemoryKill() {
        guard var backoff = memoryBackoff else { return }
        // Where it cannot be told it is taken for true.
        if (try? cgroup?.memoryKills()) != 0 {
            memoryBackoff = nil
            return kill()
        }
        let isLast = backoff.areRare
        backoff.postpone()
        memoryBackoff = isLast ? nil : backoff
    }

    /// When it is to be looked at although nothing happens; nil where it is not.
    var nextLook: UInt64? {
        let tree = waitStatus == nil ? nil : treeBackoff.next
        guard let memory = memoryBackoff?.next else { return tree }
        return min(memory, tree ?? memory)
    }

    /// What its set-up socket gave.
    enum Setup: ~Copyable {
        case report(aico_setup_report, listener: Descriptor?, namespace: Descriptor?)
        /// Nothing yet.
        case nothing
        /// It ended before a word, or said something else.
        case none
    }

    /// Reads the report of its set-up.
    func receiveSetup() -> Setup {
        var report = aico_setup_report()
        do throws(Errno) {
            let received = try setupSocket?.receive(into: &report, maximumDescriptors: 2)
            switch consume received {
            case .some(.message(_, var descriptors)):
                let named = report.passes_namespace == 0 ? 0 : 1
                guard descriptors.count - named == 0 || descriptors.count - named == 1 else {
                    return .none
                }
                let listener = descriptors.count > named ? descriptors.take(0) : nil
                return .report(
                    report, listener: listener,
                    namespace: named == 1 ? descriptors.take(descriptors.count - 1) : nil)
            case .some(.nothing): return .nothing
            default: return .none
            }
        } catch {
            return .none
        }
    }

    /// Passes the task's socket to a process made ahead, which waits for it; false where it died.
    func sendOrder(taskSocket: Int32) -> Bool {
        (try? setupSocket?.send(value: UInt8(1), passing: [taskSocket])) != nil
    }

    func adopt(listener: consuming Descriptor?) { listenerDescriptor = consume listener }

    func adopt(namespace: consuming Descriptor?) { namespaceDescriptor = consume namespace }

    /// Gives its mount namespace away; nil where it holds none.
    func takeNamespace() -> Descriptor? { namespaceDescriptor.take() }

    func closeSetup() { setupSocket = nil }

    func closeListener() { listenerDescriptor = nil }
}

/// Nanoseconds of the monotonic clock.
func monotonicNanoseconds() -> UInt64 {
    let (seconds, attoseconds) = Clock.monotonic.components
    return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
}
