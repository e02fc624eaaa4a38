// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// A core on a virtual clock: the test is store, workers and clients.
struct CoreRun {
    var core: SchedulerCore
    private(set) var wall = Instant(seconds: 1_750_000_000)
    private(set) var boot = Duration.seconds(1000)
    /// What the core said and nobody took.
    private(set) var actions: [Action] = []
    /// Batches that have no answer yet.
    private(set) var batches: [(token: UInt64, changes: [StoreChange])] = []
    /// What the store took, batch by batch.
    private(set) var written: [[StoreChange]] = []
    private var lastKey: UInt64 = 0
    private var deleted: Set<TaskKey> = []
    private var pings: [(WorkerID, UInt64)] = []
    /// Workers that answer no ping.
    var silent: Set<WorkerID> = []
    /// Instants that the store says were claimed before.
    var claimedBefore: Set<Instant> = []
    /// Whether batches are answered as written at once.
    var isStoreWell = true
    /// Changes that need a damaged page.
    var isDamaged: (StoreChange) -> Bool = { _ in false }
    /// Tasks whose rows the store refuses for good.
    private let refused: Set<String>

    init(
        _ settings: CoreSettings = CoreSettings(), _ facts: StartFacts = StartFacts(),
        refusing refused: Set<String> = [], keeping isKeeping: Bool = false
    ) throws {
        self.refused = refused
        core = SchedulerCore(settings: settings, at: Time(wall: wall, boot: boot))
        feed(.start(facts))
        feed(.load(.known(Admission.Load(cpu: 1, memory: 1))))
        turn()
        for worker in settings.workers { try makeReady(worker) }
        if !isKeeping { _ = take() }
    }

    var time: Time { Time(wall: wall, boot: boot) }

    /// Both clocks go on; the loop comes back when it has to.
    mutating func pass(_ duration: Duration) {
        let end = boot + duration
        while boot < end {
            let wake = core.wake
            let byWall = wake.wall.map { boot + max(.zero, $0 - wall) }
            let next = min(end, max(boot, [byWall, wake.boot].compactMap { $0 }.min() ?? end))
            wall = wall + (next - boot)
            let isStill = next == boot
            boot = next
            turn()
            // What is due and does not move the clock is due again a moment later.
            if isStill {
                boot += .milliseconds(1)
                wall = wall + .milliseconds(1)
            }
        }
    }

    /// Both clocks go on and nobody looks.
    mutating func miss(_ duration: Duration) {
        boot += duration
        wall = wall + duration
    }

    /// The wall clock is set.
    mutating func step(_ duration: Duration) {
        wall = wall + duration
        feed(.clockSet)
        turn()
    }

    /// The machine sleeps: both clocks go on, nobody runs.
    mutating func suspend(_ duration: Duration) {
        miss(duration)
        feed(.suspended(duration))
        turn()
    }

    mutating func feed(_ event: Event) {
        for action in core.handle(event, at: time) {
            if case .write(let token, let changes) = action { batches.append((token, changes)) }
            if case .send(let workerID, .ping(let nonce)) = action {
                pings.append((workerID, nonce))
            }
            actions.append(action)
        }
    }

    mutating func turn() {
        feed(.settle(Heard(until: boot)))
        let asked = pings
        pings = []
        for (workerID, nonce) in asked where !silent.contains(workerID) {
            report(workerID, .pong(nonce: nonce))
        }
        guard isStoreWell else { return }
        answerStore()
    }

    /// Answers all batches as written.
    mutating func answerStore() {
        while !batches.isEmpty { answerNext() }
    }

    /// Answers the next batch as written, where none of it is damaged, and ends the turn.
    mutating func answerNext() {
        let batch = batches.removeFirst()
        if batch.changes.contains(where: isDamaged) {
            let trouble = StoreTrouble(kind: .damaged, message: StoreFailure.damaged.words)
            feed(.committed(token: batch.token, .failure(trouble)))
        } else {
            let results = batch.changes.map { result(of: $0) }
            written.append(batch.changes)
            feed(.committed(token: batch.token, .success(results)))
        }
        feed(.settle(Heard(until: boot)))
    }

    /// Answers the next batch as written, before the loop does anything else.
    mutating func answerOnce() {
        guard !batches.isEmpty else { return }
        let batch = batches.removeFirst()
        let results = batch.changes.map { result(of: $0) }
        feed(.committed(token: batch.token, .success(results)))
    }

    /// Answers all batches as refused.
    mutating func failStore(_ kind: StoreFailure) {
        while !batches.isEmpty {
            let batch = batches.removeFirst()
            feed(
                .committed(
                    token: batch.token,
                    .failure(StoreTrouble(kind: kind, message: "the store is \(kind.rawValue)"))))
        }
    }

    private mutating func result(of change: StoreChange) -> ChangeResult {
        if case .createTask(let task) = change, refused.contains(task.id.text) {
            return .refused("the row is not taken")
        }
        return .outcome(outcome(of: change))
    }

    private mutating func outcome(of change: StoreChange) -> StoreOutcome {
        switch change {
        case .deleteTask(let key, _):
            deleted.insert(key)
            return .done
        case .claim(let claim):
            if deleted.contains(claim.task) { return .notFound }
            if claimedBefore.contains(claim.plannedAt) { return .alreadyClaimed }
            lastKey += 1
            return .claimed(attempt: AttemptKey(lastKey), number: 1)
        case .deferral(_, let at, _, _, _, _) where claimedBefore.contains(at):
            return .alreadyClaimed
        case .retry:
            lastKey += 1
            return .claimed(attempt: AttemptKey(lastKey), number: 2)
        default: return .done
        }
    }

    /// Takes what the core said since the last look.
    mutating func take() -> [Action] {
        defer { actions = [] }
        return actions
    }

    // MARK: - Workers

    mutating func makeReady(_ workerID: WorkerID) throws {
        feed(.worker(workerID, .launched(processID: 7)))
        answerPing(workerID)
        let canary = try #require(core.worker(workerID).canary?.order)
        report(
            workerID,
            .started(
                attempt: canary.attempt, sequence: 0, layers: LayerReport(held: [], missing: []),
                at: wall))
        report(
            workerID,
            .log(
                attempt: canary.attempt, sequence: 1, stream: .info, at: wall,
                line: CanaryReport(open: []).line))
        report(
            workerID,
            .finished(
                attempt: canary.attempt, sequence: 2,
                exit: AttemptExit(
                    reply: .none, exit: .signaled(signal: 9),
                    cause: .deniedSyscall(name: "unshare", number: 272, arguments: []),
                    usage: .none)))
        turn()
        #expect(core.worker(workerID).isReady)
    }

    mutating func report(_ workerID: WorkerID, _ report: Report) {
        feed(.report(workerID, report))
    }

    mutating func answerPing(_ workerID: WorkerID) {
        report(workerID, .pong(nonce: core.worker(workerID).nonce))
    }

    mutating func start(_ order: AttemptOrder) throws {
        report(
            try #require(core.workerID(of: order)),
            .started(
                attempt: order.attempt, sequence: 0, layers: LayerReport(held: [], missing: []),
                at: wall))
        turn()
    }

    mutating func finish(_ order: AttemptOrder, sequence: UInt32 = 1) throws {
        report(
            try #require(core.workerID(of: order)),
            .finished(
                attempt: order.attempt, sequence: sequence,
                exit: AttemptExit(
                    reply: .succeeded(result: Array("1".utf8)), exit: .exited(code: 0),
                    cause: nil, usage: .none)))
        turn()
    }

    mutating func fail(_ order: AttemptOrder) throws {
        report(
            try #require(core.workerID(of: order)),
            .finished(
                attempt: order.attempt, sequence: 0,
                exit: AttemptExit(
                    reply: .failed(permanent: false, message: "not now"),
                    exit: .exited(code: 75), cause: nil, usage: .none)))
        turn()
    }

    // MARK: - Clients

    static func task(
        _ id: String, _ schedule: String, _ policies: TaskPolicies = TaskPolicies(), at: Instant
    ) throws -> TaskDefinition {
        TaskDefinition(
            record: StoredTask(
                key: TaskKey(id: try TaskID(id), uid: ""), type: "user.command",
                schedule: schedule, origin: "admin", createdAt: at, updatedAt: at),
            table: Planner.Timetable(
                schedule: try Schedule.parse(schedule), zone: .utc, created: at,
                policies: policies))
    }

    mutating func create(
        _ id: String, _ schedule: String, _ policies: TaskPolicies = TaskPolicies()
    ) throws {
        feed(
            .request(1, actor: "test", .create(try Self.task(id, schedule, policies, at: wall))))
        turn()
    }

    mutating func request(_ request: Request, id: RequestID = 9) {
        feed(.request(id, actor: "test", request))
        turn()
    }
}

extension SchedulerCore {
    /// The worker that an attempt was ordered of.
    fileprivate func workerID(of order: AttemptOrder) -> WorkerID? {
        executions[order.executionID].flatMap { workerID(of: $0) }
    }
}

extension [Action] {
    /// The run orders among them, without canaries.
    var orders: [AttemptOrder] {
        compactMap {
            if case .send(_, .run(let order)) = $0, !order.taskType.hasSuffix(".canary") {
                order
            } else {
                nil
            }
        }
    }

    var killed: [WorkerID] {
        compactMap { if case .killWorker(let workerID) = $0 { workerID } else { nil } }
    }

    var replies: [Reply] { compactMap { if case .reply(_, let reply) = $0 { reply } else { nil } } }

    var published: [Published] {
        compactMap { if case .publish(let published) = $0 { published } else { nil } }
    }
}
