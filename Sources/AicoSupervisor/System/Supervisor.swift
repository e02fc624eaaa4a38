// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import LinuxSandbox

/// The supervisor on the machine: one thread that waits for what happens, asks the machine of
/// states what follows, and does it.
final class Supervisor {
    /// A process of ours that runs.
    struct Running {
        var child: ChildProcess
        var since: Duration
        /// What it writes to standard error; nil for the scheduler, which has ours.
        var words: LastWords?
    }

    let root: String
    let executables: String
    let profiles: String
    let identities: Identities
    let plans: [TaskClass: CheckedPlan]
    let tree: CgroupTree
    private let stopSignals: OwnedDescriptor
    private var machine = SupervisorMachine()
    private var timers = SupervisorTimers()
    private var isFinished = false
    /// What actions led to; handled before anything new is waited for.
    var pending: [SupervisorEvent] = []
    var scheduler: Running?
    var channel: Channel?
    var workers: [TaskClass: Running] = [:]

    /// How many messages of the scheduler one turn takes.
    private static let messagesPerTurn = 64

    init(
        root: String, executables: String, profiles: String, identities: Identities,
        plans: [TaskClass: CheckedPlan], tree: CgroupTree, stopSignals: OwnedDescriptor
    ) {
        self.root = root
        self.executables = executables
        self.profiles = profiles
        self.identities = identities
        self.plans = plans
        self.tree = tree
        self.stopSignals = stopSignals
    }

    /// Runs until the system is stopped; nothing of it is left then.
    func run() throws(SupervisorError) {
        perform(SupervisorMachine.start)
        while true {
            while !pending.isEmpty { perform(machine.handle(pending.removeFirst())) }
            if isFinished { break }
            try wait()
        }
        try leaveNothing()
    }

    // MARK: - What happens

    /// Waits for the next events and puts them into `pending`.
    private func wait() throws(SupervisorError) {
        let classes = TaskClass.allCases.filter { workers[$0] != nil }
        let watched =
            [
                stopSignals.number, channel?.descriptor.number ?? -1,
                scheduler?.child.descriptor.number ?? -1,
            ]
            + classes.map { workers[$0]?.child.descriptor.number ?? -1 }
        var items = watched.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        items += wordItems(classes)
        let limit = timers.nearest.map { ($0 - Monotonic.now()).pollMilliseconds } ?? -1
        if poll(&items, nfds_t(items.count), limit) < 0 {
            guard lastErrno() == EINTR else { throw .system("wait for", "events") }
            return
        }
        if items[0].revents != 0 { takeStopSignal() }
        if items[1].revents != 0 { takeMessages() }
        for (index, taskClass) in classes.enumerated() {
            // Words before the exit: most of them are passed on by now.
            let words = items[3 + classes.count + index]
            if words.fd >= 0, words.revents != 0 { workers[taskClass]?.words?.take() }
            if items[3 + index].revents != 0 { takeExit(of: taskClass) }
        }
        if items[2].revents != 0 { takeSchedulerExit() }
        pending += timers.take(at: Monotonic.now())
    }

    /// Watches what workers write; while our own standard error takes nothing, that instead: they
    /// wait then, as they would if it were theirs.
    private func wordItems(_ classes: [TaskClass]) -> [pollfd] {
        let canPassOn = LastWords.canPassOn
        let items = classes.map { taskClass in
            pollfd(
                fd: canPassOn ? workers[taskClass]?.words?.number ?? -1 : -1,
                events: Int16(POLLIN), revents: 0)
        }
        let output = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return canPassOn ? items : items + [output]
    }

    private func takeStopSignal() {
        var info = [UInt8](repeating: 0, count: 128)  // struct signalfd_siginfo
        guard read(stopSignals.number, &info, info.count) == info.count else { return }
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

    private func takeExit(of taskClass: TaskClass) {
        guard let worker = workers[taskClass], let status = worker.child.reap() else { return }
        workers[taskClass] = nil
        pending.append(
            .workerExited(
                taskClass, status: status, ranFor: Monotonic.now() - worker.since,
                words: worker.words?.finish() ?? []))
    }

    private func takeSchedulerExit() {
        guard let running = scheduler, let status = running.child.reap() else { return }
        // What it said before its end still counts.
        takeMessages()
        scheduler = nil
        channel = nil
        pending.append(.schedulerExited(status: status, ranFor: Monotonic.now() - running.since))
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
        case .launchWorker(let taskClass): launchWorker(taskClass)
        case .killWorker(let taskClass): kill(Self.group(of: taskClass))
        case .send(let message):
            // Without a channel its violation is known already.
            if let channel, !channel.send(message) { pending.append(.violation(.unread)) }
        case .startTimer(let timer, let delay): timers.start(timer, at: Monotonic.now() + delay)
        case .stopTimer(let timer): timers.stop(timer)
        case .log(let note): SupervisorLog.write("\(note)")
        case .finish: isFinished = true
        }
    }

    private func kill(_ group: String) {
        do throws(CgroupError) {
            try tree.kill(group)
        } catch {
            // A class that was never launched has no cgroup.
            if error.errno != ENOENT { SupervisorLog.write("\(error)") }
        }
    }

    /// Kills and reaps all that is left, then removes the cgroups.
    private func leaveNothing() throws(SupervisorError) {
        channel = nil
        for group in TaskClass.allCases.map(Self.group(of:)) + [Self.schedulerGroup] {
            kill(group)
        }
        for child in workers.values.map(\.child) + (scheduler.map { [$0.child] } ?? []) {
            // Its cgroup is killed: this waits for the kernel only.
            _ = child.wait(milliseconds: -1)
        }
        for worker in workers.values { _ = worker.words?.finish() }
        workers = [:]
        scheduler = nil
        do throws(CgroupError) {
            try tree.remove()
        } catch {
            throw SupervisorError(
                operation: error.operation, subject: error.subject, reason: .errno(error.errno))
        }
    }
}

/// Log lines on standard error; whoever started the supervisor adds the time.
enum SupervisorLog {
    static func write(_ text: String) {
        let line = Array("aico-supervisor: \(text)\n".utf8)
        _ = Glibc.write(STDERR_FILENO, line, line.count)
    }
}
