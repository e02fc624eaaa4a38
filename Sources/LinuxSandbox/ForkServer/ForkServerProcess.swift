// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// The fork server itself: one thread, one loop, no text and nothing of variable size to read.
final class ForkServerProcess {
    let plan: Plan
    let socket: ForkServerSocket
    let backend: (any CgroupBackend)?
    /// Runs in a process made ahead, between its last layer and its order.
    let prewarmConfined: () -> Void
    /// What every task process reads.
    let prepared: PreparedAttempts
    let grants: GrantAnswers
    /// Nil where every attempt has a /tmp of its own.
    let temporaries: AttemptTemporaries?
    /// Of what the class's mount namespace shows; 0 before the first answer.
    var generation: UInt64 = 0
    /// Orders that begin with the next answer.
    var waiting: [WaitingOrder] = []
    /// By slot.
    var running: [RunningAttempt?]
    /// Slots whose leaf is still to be made ready again.
    var isDirty: [Bool]
    /// Reports that the worker has no room for yet.
    private var unsent: [aico_fork_report] = []
    var isSweepDue = false
    var sweepDelay = Duration.zero
    /// When the next process is made ahead; nil where there is one, or none is to be.
    var standbyDue: UInt64?
    var standbyLosses = StandbyLosses()
    var lastNamespace = LastNamespace()

    /// Reserved exit statuses, for the log of whoever wonders.
    enum Exit {
        static let workerGone: Int32 = 0
        static let badOrder: Int32 = 76
        static let keeperGone: Int32 = 69
        static let cannotStart: Int32 = 71
        static let cannotPoll: Int32 = 74
    }

    /// Runs in the child of the split; never returns.
    static func run(
        plan: Plan, socket: ForkServerSocket, firstCgroupDescriptor: Int32,
        classHasNamespaces: Bool,
        prewarm: () -> Void, prewarmConfined: @escaping () -> Void, task: (Int32) -> Never
    ) -> Never {
        aico_set_name("aico-forkserver")
        var report = aico_fork_report()
        do throws(SandboxError) {
            let server = try ForkServerProcess(
                plan: plan, socket: socket, firstCgroupDescriptor: firstCgroupDescriptor,
                classHasNamespaces: classHasNamespaces, prewarmConfined: prewarmConfined)
            prewarm()
            guard aico_thread_count() == 1 else {
                throw SandboxError(operation: "clone from more than one thread", errno: EBUSY)
            }
            report.kind = AICO_REPORT_READY.rawValue
            server.report(report)
            server.serve(task: task)
        } catch {
            report.kind = AICO_REPORT_FAILED.rawValue
            report.setup.layer = UInt32((error.layer ?? .session).rawValue)
            report.setup.error = error.errno
            try? socket.send(report)
            _exit(Exit.cannotStart)
        }
    }

    private init(
        plan: Plan, socket: ForkServerSocket, firstCgroupDescriptor: Int32,
        classHasNamespaces: Bool, prewarmConfined: @escaping () -> Void
    ) throws(SandboxError) {
        guard aico_die_with_parent() == 0 else {
            throw SandboxError(
                operation: "die with the worker", layer: .parentDeathSignal, errno: errno)
        }
        guard aico_keep_permitted() == 0 else {
            throw SandboxError(
                operation: "keep capabilities", layer: .capabilities, errno: errno)
        }
        // Its tasks can share its uid and pid namespace. After the capabilities, whose change may
        // undo it.
        guard aico_forbid_inspection() == 0 else {
            throw SandboxError(operation: "forbid inspection of the fork server", errno: errno)
        }
        self.plan = plan
        self.socket = socket
        self.prewarmConfined = prewarmConfined
        backend = try Self.backend(plan, first: firstCgroupDescriptor)
        grants = try GrantAnswers()
        temporaries = AttemptTemporaries(plan)
        prepared = try PreparedAttempts(plan, classHasNamespaces: classHasNamespaces)
        // One more for the standby, which takes no attempt's place.
        let slots = Int(plan.concurrency) + (plan.hasUserNamespace ? 1 : 0)
        running = Array(repeating: nil, count: slots)
        isDirty = Array(repeating: false, count: slots)
        // The first look shows what the launch did not; with its answer comes the first standby.
        askForGrants()
    }

    private static func backend(
        _ plan: Plan, first: Int32
    ) throws(SandboxError) -> (any CgroupBackend)? {
        do {
            let backend = try InheritedCgroups.backend(first: first, plan: plan)
            try backend.prewarm(slot: 0)
            return backend
        } catch {
            if plan.optionalLayers.contains(.cgroup) { return nil }
            throw SandboxError(operation: "\(error)", layer: .cgroup, errno: error.errno)
        }
    }

    /// Sends a report, or keeps it until the worker takes more.
    func report(_ report: aico_fork_report) {
        unsent.append(report)
        sendUnsent()
    }

    private func sendUnsent() {
        var sent = 0
        for next in unsent {
            do throws(Errno) {
                try socket.send(next)
            } catch {
                if error == .wouldBlock { break }
                _exit(Exit.workerGone)
            }
            sent += 1
        }
        unsent.removeFirst(sent)
    }

    // MARK: the loop

    private enum Source {
        case worker
        case grants
        case setup(RunningAttempt)
        case listener(RunningAttempt)
        case outOfMemory(RunningAttempt)
        case process(RunningAttempt)
    }

    private func serve(task: (Int32) -> Never) -> Never {
        var files = PollSet()
        var sources: [Source] = []
        while true {
            files.removeAll()
            sources.removeAll(keepingCapacity: true)
            collect(&files, &sources)
            let count: Int
            do throws(Errno) {
                count = try files.wait(for: timeout())
            } catch {
                // Nothing that it watches can be heard any more: without it the class is launched
                // anew.
                _exit(Exit.cannotPoll)
            }
            if count == 0 { idle(task: task) }
            for (place, source) in sources.enumerated() where !files[place].isEmpty {
                handle(source, files[place], task: task)
            }
            finishDrained(task: task)
        }
    }

    private func collect(_ files: inout PollSet, _ sources: inout [Source]) {
        func watch(_ descriptor: Int32, _ source: Source, _ events: PollSet.Events = .readable) {
            files.add(descriptor, events)
            sources.append(source)
        }
        for case .some(let attempt) in running {
            // In this order: what an attempt said counts before its end.
            if attempt.setup >= 0, attempt.prepared == nil {
                watch(attempt.setup, .setup(attempt))
            }
            if attempt.listener >= 0 { watch(attempt.listener, .listener(attempt)) }
            if let event = attempt.outOfMemoryEvent { watch(event, .outOfMemory(attempt)) }
            if attempt.waitStatus == nil { watch(attempt.pidfd, .process(attempt)) }
        }
        watch(grants.descriptor, .grants)
        // No new order while the worker does not take what the old ones came to.
        watch(socket.descriptor, .worker, unsent.isEmpty ? .readable : .writable)
    }

    private func handle(_ source: Source, _ events: PollSet.Events, task: (Int32) -> Never) {
        switch source {
        case .worker:
            if !unsent.isEmpty {
                sendUnsent()
            } else {
                takeOrders()
            }
        case .grants: takeGrants(task: task)
        case .setup(let attempt): readSetup(attempt)
        case .listener(let attempt): readNotification(attempt, events)
        case .outOfMemory(let attempt): attempt.noteOutOfMemory()
        case .process(let attempt): reap(attempt)
        }
    }

    private func takeOrders() {
        while unsent.isEmpty {
            switch socket.receive() {
            case .order(let order, let passed):
                obey(order, passed: passed)
            case .orderWithoutDescriptor(let order):
                guard order.isSpawn else { _exit(Exit.badOrder) }
                // This attempt fails, and no other.
                refuse(order.attempt, .descriptors, errno: EMFILE, step: .taskSocket)
            case .nothing: return
            case .closed: _exit(Exit.workerGone)
            case .malformed: _exit(Exit.badOrder)
            }
        }
    }

    private func obey(_ order: aico_fork_order, passed: consuming Descriptor?) {
        let place = waiting.firstIndex { $0.order.attempt == order.attempt }
        let attempt = running.compactMap { $0 }.first {
            !$0.isStandby && $0.attempt == order.attempt
        }
        if let taskSocket = passed {
            guard order.isSpawn, attempt == nil, place == nil else { _exit(Exit.badOrder) }
            takeOn(order, taskSocket: taskSocket)
        } else {
            guard order.kind == AICO_ORDER_KILL.rawValue, order.lenient == 0,
                order.capabilities == 0
            else { _exit(Exit.badOrder) }
            attempt?.kill()
            if let place { reportNeverRan(waiting.remove(at: place).order.attempt) }
        }
    }
}

extension aico_fork_order {
    fileprivate var isSpawn: Bool { kind == AICO_ORDER_SPAWN.rawValue && lenient <= 1 }
}
