// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

extension ForkServerProcess {
    /// Set-up takes below 2 ms; one that takes this long hangs in a call its own filter denies.
    private static let setupNanoseconds: UInt64 = 5_000_000_000

    /// How a task process ends that never ran its task's code.
    private static let neverRan: Int32 = 127 << 8

    // MARK: the beginning of an attempt

    /// - Parameter lack: what its class is granted and it will not find.
    func start(
        _ order: aico_fork_order, taskSocket: Int32, lack: GrantLack?, task: (Int32) -> Never
    ) {
        let attempts = running.count { $0?.isStandby == false }
        guard attempts < plan.concurrency, let slot = freeSlot() else {
            return refuse(order.attempt, .cgroup, errno: EAGAIN, step: .slots)
        }
        if let standby = running.compactMap({ $0 }).first(where: \.isReadyStandby),
            begin(order, with: standby, taskSocket: taskSocket, lack: lack)
        {
            return
        }
        do throws(Refusal) {
            let attempt = try make(order, slot: slot, taskSocket: taskSocket, task: task)
            attempt.lack = lack
            running[slot] = attempt
        } catch {
            refuse(order.attempt, error.layer, errno: error.errno, step: error.step)
        }
    }

    /// Why no process was made.
    struct Refusal: Error {
        var layer: Layer
        var errno: Int32
        var step: aico_step
    }

    /// Makes the process of an order, or without one a process that waits for its order.
    func make(
        _ order: aico_fork_order?, slot: Int, taskSocket: Int32, task: (Int32) -> Never
    ) throws(Refusal) -> RunningAttempt {
        var leaf: (any AttemptCgroup)?
        do {
            leaf = try backend?.prepareLeaf(slot: slot)
            isDirty[slot] = false
        } catch {
            guard plan.optionalLayers.contains(.cgroup) else {
                throw Refusal(layer: .cgroup, errno: error.errno, step: .leaf)
            }
        }
        let pair: MessageSocket.Pair
        do throws(Errno) {
            pair = try MessageSocket.Pair()
        } catch {
            leaf?.release()
            throw Refusal(
                layer: .descriptors, errno: error.rawValue, step: .setupSocket)
        }
        let setup = pair.ours
        let child = pair.theirs
        let temporary: AttemptTemporaries.Entry?
        do throws(Errno) {
            temporary = try temporaries?.make()
        } catch {
            leaf?.release()
            throw Refusal(layer: .mounts, errno: error.rawValue, step: .temporary)
        }
        let startedAt = monotonicNanoseconds()
        let clone = makeProcess(
            order, leaf: leaf, taskSocket: taskSocket, setup: child.descriptor.number,
            temporary: temporary, task: task)
        child.close()
        guard clone.errno == 0 else {
            leaf?.release()
            if let temporary { temporaries?.leave(temporary.name) }
            isDirty[slot] = true
            throw Refusal(
                layer: Self.layer(ofCloneFailure: clone.errno), errno: clone.errno,
                step: .clone)
        }
        return RunningAttempt(
            attempt: order?.attempt, slot: slot, cgroup: leaf, pidfd: clone.pidfd,
            setup: setup, temporary: temporary?.name, startedAt: startedAt)
    }

    /// Clones; the child goes through all layers into the task's code and does not come back.
    private func makeProcess(
        _ order: aico_fork_order?, leaf: (any AttemptCgroup)?, taskSocket: Int32, setup: Int32,
        temporary: AttemptTemporaries.Entry?, task: (Int32) -> Never
    ) -> (pidfd: Int32, errno: Int32) {
        let entry = leaf?.entry
        let joins = entry?.joinDescriptors ?? []
        var pidfd: Int32 = -1
        var processID = aico_attempt_clone(
            entry?.cloneDescriptor ?? -1, plan.hasUserNamespace ? 1 : 0, &pidfd)
        var ownNamespaces = plan.hasUserNamespace
        if processID < 0, plan.hasUserNamespace, plan.optionalLayers.contains(.namespaces),
            Self.layer(ofCloneFailure: errno) == .namespaces
        {
            ownNamespaces = false
            processID = aico_attempt_clone(entry?.cloneDescriptor ?? -1, 0, &pidfd)
        }
        guard processID == 0 else { return (pidfd, processID < 0 ? errno : 0) }
        joins.withUnsafeBufferPointer { joins in
            var attempt = aico_attempt()
            attempt.capabilities = order?.capabilities ?? 0
            attempt.task_fd = taskSocket
            attempt.setup_fd = setup
            attempt.temporary_fd = temporary?.descriptor.number ?? -1
            attempt.own_namespaces = ownNamespaces ? 1 : 0
            attempt.own_cgroup = entry == nil ? 0 : 1
            attempt.join_fds = joins.baseAddress
            attempt.join_count = joins.count
            aico_attempt_confine(prepared.plan, &attempt)
            if order == nil { prewarmConfined() }
            aico_attempt_await_order(&attempt)
        }
        if let temporary { setenv("TMPDIR", temporary.path, 1) }
        task(3)
    }

    /// clone3 names no cause: a cgroup refuses with other errors than a namespace.
    private static func layer(ofCloneFailure errno: Int32) -> Layer {
        switch errno {
        case EPERM, ENOSPC, EUSERS, EINVAL: .namespaces
        case EAGAIN, EBUSY, EACCES, ENOENT, ENODEV, EOPNOTSUPP, EBADF: .cgroup
        default: .session
        }
    }

    func freeSlot() -> Int? {
        let free = running.indices.filter { running[$0] == nil }
        return free.first { !isDirty[$0] } ?? free.first
    }

    func refuse(
        _ attempt: UInt64, _ layer: Layer, errno: Int32, step: aico_step, index: Int = 0
    ) {
        reportRefusal(attempt, layer, errno: errno, step: step, index: index)
        reportNeverRan(attempt)
    }

    func reportNeverRan(_ attempt: UInt64) {
        var report = aico_fork_report()
        report.kind = AICO_REPORT_ENDED.rawValue
        report.attempt = attempt
        report.wait_status = Self.neverRan
        self.report(report)
    }

    private func reportRefusal(
        _ attempt: UInt64, _ layer: Layer, errno: Int32, step: aico_step, index: Int = 0
    ) {
        var report = aico_fork_report()
        report.kind = AICO_REPORT_REFUSED.rawValue
        report.attempt = attempt
        report.setup.layer = UInt32(layer.rawValue)
        report.setup.error = errno
        report.setup.step = UInt32(step.rawValue)
        report.setup.index = UInt32(index)
        self.report(report)
    }

    // MARK: what an attempt says

    func readSetup(_ attempt: RunningAttempt) {
        guard attempt.state == .settingUp else { return }
        switch attempt.receiveSetup() {
        case .nothing: return
        case .none: return stopWithoutWord(attempt)
        case .report(let setup, let listener, let namespace):
            if attempt.isStandby || lastNamespace.isFree { attempt.adopt(namespace: namespace) }
            take(setup, listener, of: attempt)
        }
    }

    private func take(
        _ setup: aico_setup_report, _ listener: consuming Descriptor?, of attempt: RunningAttempt
    ) {
        let hasListener = listener != nil
        var report = aico_fork_report()
        report.attempt = attempt.attempt
        report.setup = setup
        if attempt.isStandby, setup.refused == 0, !setup.held.contains(.seccomp) || hasListener {
            attempt.adopt(listener: consume listener)
            attempt.prepared = setup
            attempt.state = .confined
            return
        }
        if setup.refused != 0 {
            // The next attempt says so itself.
            if attempt.isStandby {
                attempt.state = .stopped
                return attempt.closeSetup()
            }
            report.kind = AICO_REPORT_REFUSED.rawValue
            attempt.state = .stopped
        } else if setup.held.contains(.seccomp), !hasListener {
            return stopWithoutWord(attempt)
        } else {
            attempt.adopt(listener: consume listener)
            report.kind = AICO_REPORT_CONFINED.rawValue
            attempt.lack?.note(in: &report.setup)
            attempt.state = .confined
            standbyLosses.attemptHeld()
        }
        self.report(report)
        attempt.closeSetup()
    }

    private func stopWithoutWord(_ attempt: RunningAttempt) {
        attempt.state = .stopped
        attempt.closeSetup()
        attempt.kill()
    }

    func readNotification(_ attempt: RunningAttempt, _ events: PollSet.Events) {
        guard attempt.listener >= 0 else { return }
        guard events.contains(.readable) else { return attempt.closeListener() }
        var report = aico_fork_report()
        var identifier: UInt64 = 0
        let result = withUnsafeMutablePointer(to: &report.arguments) { arguments in
            arguments.withMemoryRebound(to: UInt64.self, capacity: 6) {
                aico_notification(
                    attempt.listener, &identifier, &report.number, &report.architecture, $0)
            }
        }
        // The caller was interrupted by a signal before it was read of: it makes the call again,
        // and a kill now would have no cause to record.
        if result == 0 { return }
        if result < 0 { attempt.closeListener() }
        if result == 1, refusesCodeMemory(report.number, identifier, of: attempt) { return }
        // The caller waits for an answer that never comes: the kill is the answer.
        attempt.kill()
        guard result == 1, !attempt.isDenied, !attempt.isStandby else { return }
        attempt.isDenied = true
        report.kind = AICO_REPORT_DENIED.rawValue
        report.attempt = attempt.attempt
        self.report(report)
    }

    /// Answers calls that would make memory executable with EACCES, as a kernel that forbids it
    /// does, and counts them: programs that compile to memory end by themselves then.
    ///
    /// Only so many: each costs this process time that other attempts need.
    private func refusesCodeMemory(
        _ number: Int32, _ identifier: UInt64, of attempt: RunningAttempt
    ) -> Bool {
        guard Self.codeMemoryCalls.contains(number),
            attempt.codeMemoryRefusals < Self.mostCodeMemoryRefusals
        else { return false }
        attempt.codeMemoryRefusals += 1
        // Where the caller is gone there is nobody to answer.
        _ = aico_answer(attempt.listener, identifier, EACCES)
        return true
    }

    private static let codeMemoryCalls: Set<Int32> = [
        Int32(SYS_mmap), Int32(SYS_mprotect), Int32(SYS_pkey_mprotect),
    ]
    private static let mostCodeMemoryRefusals: UInt64 = 4096

    // MARK: the end of an attempt

    func reap(_ attempt: RunningAttempt) {
        var status: Int32 = 0
        let result = aico_pidfd_reap(attempt.pidfd, &status)
        if result == 0 { return }
        attempt.waitStatus = result == 1 ? status : Self.neverRan
        readSetup(attempt)
        finish(attempt)
    }

    /// Reports the end once nothing of the tree is left; a namespace died with its first process.
    private func finish(_ attempt: RunningAttempt) {
        guard let status = attempt.waitStatus, attempt.isGone() else { return }
        if attempt.isStandby {
            standbyLosses.lost()
        } else {
            reportEnd(attempt, status)
        }
        attempt.cgroup?.release()
        if let name = attempt.temporary { temporaries?.leave(name) }
        keepNamespace(of: attempt)
        running[attempt.slot] = nil
        isDirty[attempt.slot] = true
        isSweepDue = true
        sweepDelay = .zero
        planStandby(after: Self.standbyPause)
    }

    private func reportEnd(_ attempt: RunningAttempt, _ status: Int32) {
        var report = aico_fork_report()
        report.kind = AICO_REPORT_ENDED.rawValue
        report.attempt = attempt.attempt
        report.wait_status = status
        report.wall_nanoseconds = monotonicNanoseconds() - attempt.startedAt
        if let usage = try? attempt.cgroup?.usage() { report.usage = usage }
        report.code_memory_refusals = attempt.codeMemoryRefusals
        self.report(report)
    }

    // MARK: time

    /// Looks again at trees that were not yet gone, for OOM kills, and at set-ups that hang.
    func finishDrained(task: (Int32) -> Never) {
        endWaits(task: task)
        lastNamespace.drop(ifOlderThan: LastNamespace.longest)
        for case .some(let attempt) in running {
            let now = monotonicNanoseconds()
            if let looks = attempt.memoryBackoff, looks.next <= now { attempt.lookForMemoryKill() }
            if attempt.waitStatus != nil, attempt.treeBackoff.next <= now { finish(attempt) }
            guard attempt.state == .settingUp, now - attempt.startedAt > Self.setupNanoseconds
            else { continue }
            attempt.state = .stopped
            attempt.closeSetup()
            attempt.kill()
            guard !attempt.isStandby else { continue }
            reportRefusal(
                attempt.attempt, .seccomp, errno: ETIMEDOUT, step: .setupTime)
        }
    }

    /// How long nothing has to be looked at; nil without an attempt and a sweep.
    func timeout() -> Duration? {
        let standby = grants.isAsked ? nil : standbyDue
        let next =
            (running.map { $0?.nextLook } + [standby, lastNamespace.due]
            + waiting.map(\.deadline))
            .compactMap { $0 }.min()
        let now = monotonicNanoseconds()
        var times = [next.map { Duration.nanoseconds($0 > now ? Int64($0 - now) : 0) }]
        if isSweepDue {
            times.append(sweepDelay)
        } else if running.contains(where: { $0?.state == .settingUp }) {
            times.append(.seconds(1))
        }
        return times.compactMap { $0 }.min()
    }

    /// Off the hot path: used leaves are made ready, busy ones removed; less and less often where
    /// something stays.
    func idle(task: (Int32) -> Never) {
        makeStandby(task: task)
        lastNamespace.drop(ifOlderThan: LastNamespace.pause)
        guard isSweepDue else { return }
        let isClean = temporaries?.sweep() ?? true
        isSweepDue = (backend?.sweep() ?? false) || !isClean
        for slot in isDirty.indices where running[slot] == nil { isDirty[slot] = false }
        sweepDelay = min(max(sweepDelay * 2, .milliseconds(8)), .seconds(1))
    }
}
