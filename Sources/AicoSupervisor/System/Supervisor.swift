// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import LinuxSandbox
import LinuxSystem
import SystemPackage

/// The supervisor on the machine: one thread that waits for what happens, asks the machine of
/// states what follows, and does it.
final class Supervisor {
    /// A process of ours that runs.
    struct Running {
        var child: ChildProcess
        var since: Duration
        /// Of a worker: what shows it the host's paths.
        var grants: GrantKeeper?
        /// What it writes to standard error.
        var words: LastWords
        /// Of a worker: its cgroups.
        var cgroups: WorkerCgroups?
        /// How often it could not be looked at.
        var missedLooks = MissedLooks()
        /// Why it was ended, where the supervisor found it out of order.
        var fault: String?
    }

    let root: String
    let executables: String
    let profiles: String
    let identities: Identities
    let plans: [TaskClass: CheckedPlan]
    let workerIDs: [WorkerID]
    /// What the scheduler is told of the workers' types.
    let descriptions: Descriptor
    let filters: SystemFilters
    let schedulerWords: [String]
    let tree: CgroupTree
    let privilege: any Privilege
    private let lock: Descriptor
    private let runtime: RuntimeDirectories
    private let stopSignals: Descriptor
    private var service: ServiceManager?
    private var machine: SupervisorMachine
    private var timers = SupervisorTimers()
    private var isFinished = false
    /// Why the system stops, where nobody asked for it.
    private var fault: SupervisorError?
    /// What actions led to; handled before anything new is waited for.
    var pending: [SupervisorEvent] = []
    var scheduler: Running?
    var channel: Channel?
    var workers: [WorkerID: Running] = [:]
    /// Processes that were killed and hang in a call: reaped once they end.
    var left: [(child: ChildProcess, worker: WorkerID?)] = []

    /// How many messages of the scheduler one turn takes.
    private static let messagesPerTurn = 64

    init(
        _ system: consuming PreparedSystem, stopSignals: consuming Descriptor,
        service: consuming ServiceManager?
    ) {
        root = system.compiler.root
        executables = system.compiler.binaries
        profiles = system.compiler.profiles
        privilege = system.compiler.privilege
        identities = system.identities
        plans = system.compiled.plans
        workerIDs = system.compiled.workers
        machine = SupervisorMachine(workers: system.compiled.workers)
        filters = system.compiled.filters
        schedulerWords = system.compiled.schedulerWords
        tree = system.tree
        descriptions = system.descriptions
        runtime = system.runtime
        lock = system.lock
        self.stopSignals = consume stopSignals
        self.service = consume service
    }

    /// Runs until the system is stopped; nothing of it is left then.
    func run() throws(SupervisorError) {
        perform(SupervisorMachine.start)
        while true {
            while !pending.isEmpty { perform(machine.handle(pending.removeFirst())) }
            service?.tell(machine.serviceState, at: Clock.monotonic)
            if isFinished { break }
            left.removeAll { $0.child.reap() != nil }
            try wait()
        }
        try leaveNothing()
        if let fault { throw fault }
    }

    // MARK: - What happens

    /// Waits for the next events and puts them into `pending`.
    private func wait() throws(SupervisorError) {
        let running = workerIDs.filter { workers[$0] != nil }
        var set = PollSet()
        let stop = set.add(stopSignals.number)
        let messages = set.add(channel?.descriptor ?? -1)
        let schedulerExit = set.add(scheduler?.child.descriptor.number ?? -1)
        let schedulerWords = set.add(scheduler?.words.number ?? -1)
        let exits = running.map { set.add(workers[$0]?.child.descriptor.number ?? -1) }
        let words = running.map { set.add(workers[$0]?.words.number ?? -1) }
        let keepers = running.map { set.add(workers[$0]?.grants?.descriptor ?? -1) }
        do throws(Errno) {
            let next = [timers.nearest, service?.nextSign].compactMap(\.self).min()
            try set.wait(for: next.map { $0 - Clock.monotonic })
        } catch {
            throw SupervisorError(
                operation: "wait for", subject: "events", reason: .errno(error))
        }
        if !set[stop].isEmpty { takeStopSignal() }
        if !set[messages].isEmpty { takeMessages() }
        // Words before the exit: most of them are passed on by now.
        if !set[schedulerWords].isEmpty { scheduler?.words.take() }
        for (index, workerID) in running.enumerated() {
            if !set[words[index]].isEmpty { workers[workerID]?.words.take() }
            if !set[keepers[index]].isEmpty { renewKeeper(of: workerID) }
            if !set[exits[index]].isEmpty { takeExit(of: workerID) }
        }
        if !set[schedulerExit].isEmpty { takeSchedulerExit() }
        let due = timers.take(at: Clock.monotonic)
        // Each heartbeat, and before anything is tried again.
        if !due.isEmpty { lookAtRuntime() }
        if due.contains(.timer(.heartbeat)) {
            let mounts = Self.readMounts()
            for workerID in running { lookAtDescriptors(of: workerID, on: mounts) }
        }
        pending += due
    }

    /// Stops the system where its runtime directory is gone.
    private func lookAtRuntime() {
        guard fault == nil, let missing = runtime.findMissing() else { return }
        fault = missing
        SupervisorLog.write("\(missing)")
        pending.append(.stopSignal)
    }

    private func takeStopSignal() {
        var info = [UInt8](repeating: 0, count: 128)  // struct signalfd_siginfo
        guard (try? stopSignals.read(into: &info)) == info.count else { return }
        pending.append(.stopSignal)
    }

    private func takeMessages() {
        for _ in 0..<Self.messagesPerTurn {
            guard let event = channel?.receive() else { return }
            pending.append(event)
            // After a violation nothing more is heard of this scheduler.
            if case .violation = event { channel = nil }
        }
    }

    /// A path that gave no answer has ended the keeper of a worker's grants: it looks again.
    private func renewKeeper(of workerID: WorkerID) {
        guard let keeper = workers[workerID]?.grants else { return }
        let path = keeper.lookedAt.map { "'\($0)' gives no answer" } ?? "it ended"
        do throws(Errno) {
            // A worker that is about to end is told of by its end.
            guard try keeper.startAgain() else { return }
            SupervisorLog.write("worker \(workerID.label) is shown nothing new: \(path)")
        } catch {
            SupervisorLog.write(
                "worker \(workerID.label) is launched anew, for want of its keeper of grants: "
                    + "\(path): \(error)")
            kill(Self.group(of: workerID))
        }
    }

    private func takeExit(of workerID: WorkerID) {
        guard let worker = workers[workerID], let status = worker.child.reap() else { return }
        workers[workerID] = nil
        leave(worker.grants?.end(), of: workerID)
        let words = worker.words.finish()
        pending.append(
            .workerExited(
                workerID, status: status.word, ranFor: Clock.monotonic - worker.since,
                words: worker.fault.map { Array($0.utf8) } ?? words))
    }

    private func takeSchedulerExit() {
        guard let running = scheduler, let status = running.child.reap() else { return }
        // What it said before its end still counts.
        takeMessages()
        _ = running.words.finish()
        scheduler = nil
        channel = nil
        pending.append(
            .schedulerExited(status: status.word, ranFor: Clock.monotonic - running.since))
    }

    // MARK: - What is done

    private func perform(_ actions: [SupervisorAction]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: SupervisorAction) {
        switch action {
        case .launchScheduler: launchScheduler()
        case .killScheduler:
            channel = nil
            kill(Self.schedulerGroup)
        case .launchWorker(let workerID): launchWorker(workerID)
        case .killWorker(let workerID): kill(Self.group(of: workerID))
        case .send(let message):
            // Without a channel its violation is known already.
            if let channel, !channel.send(message) { pending.append(.violation(.unread)) }
        case .startTimer(let timer, let delay): timers.start(timer, at: Clock.monotonic + delay)
        case .stopTimer(let timer): timers.stop(timer)
        case .log(let note): SupervisorLog.write("\(note)")
        case .refuseStart:
            fault = SupervisorError(
                operation: "start with", subject: "configuration",
                reason: .invalid("aico-scheduler refuses it; see above"))
            isFinished = true
        case .finish: isFinished = true
        }
    }

    /// Keeps a killed process until it can be reaped.
    func leave(_ process: LaunchedProcess?, of workerID: WorkerID?) {
        guard let process else { return }
        left.append((ChildProcess(process), workerID))
    }

    /// Waits for a moment until nothing that was killed of a worker is left; whether that is so.
    ///
    /// What hangs in a call does not end by its kill: with each launch one more would hang.
    func isFree(_ workerID: WorkerID) -> Bool {
        left.allSatisfy {
            $0.worker != workerID || $0.child.wait(for: Self.leavePatience) != nil
        }
    }

    func kill(_ group: String) {
        do throws(CgroupError) {
            try tree.kill(group)
        } catch {
            // One that was never launched has no cgroup.
            if error.errno != ENOENT { SupervisorLog.write("\(error)") }
        }
    }

    /// Kills and reaps all that is left, then removes the cgroups.
    func leaveNothing() throws(SupervisorError) {
        channel = nil
        for group in workerIDs.map(Self.group(of:)) + [Self.schedulerGroup] {
            kill(group)
        }
        for (workerID, worker) in workers { leave(worker.grants?.end(), of: workerID) }
        let deadline = Clock.monotonic + ChildProcess.endPatience
        for child in workers.values.map(\.child) + (scheduler.map { [$0.child] } ?? [])
            + left.map(\.child)
        where child.wait(for: max(.zero, deadline - Clock.monotonic)) == nil {
            // Its cgroup is killed: it hangs in the kernel, and ends with the call.
            SupervisorLog.write("process \(child.processID) was killed and does not end")
        }
        for process in workers.values + (scheduler.map { [$0] } ?? []) {
            _ = process.words.finish()
        }
        workers = [:]
        scheduler = nil
        do throws(CgroupError) {
            try tree.remove()
        } catch {
            throw SupervisorError(
                operation: error.operation, subject: error.subject,
                reason: .errno(Errno(rawValue: error.errno)))
        }
    }
}

/// Log lines on standard error; whoever started the supervisor adds the time.
enum SupervisorLog {
    private static let stream = DiagnosticStream(name: "aico-supervisor")

    static func write(_ text: String) { stream.write(Array("aico-supervisor: \(text)\n".utf8)) }

    /// Passes on what another process of the system wrote.
    static func pass(on bytes: [UInt8]) { stream.write(bytes) }
}
