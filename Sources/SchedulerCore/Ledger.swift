// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// What is on its way into the store, and what waits for it to be there.
struct Ledger: Sendable {
    /// Changes that are written together, and what follows from that.
    struct Write: Sendable {
        var changes: [StoreChange]
        var then: Continuation
        /// Leaves once the changes are written.
        var published: [Published]
        /// Whether the store's failure undoes it: somebody waits for an answer, and nothing has
        /// happened yet. What has happened is kept until it can be written.
        var isRefusable: Bool
        /// The execution whose attempt it is about.
        var execution: String?
        /// Cancels that wait for it: what they ended is over with it.
        var cancels: [(execution: String, request: RequestID)] = []
    }

    /// What follows from changes that were written, or could not be.
    enum Continuation: Sendable {
        case nothing
        /// An attempt of this execution may run.
        case claimed(String)
        /// The waiting of this execution stands in the store.
        case recorded(String)
        /// A task is there; nobody asked for one that comes with the product.
        case created(TaskKey, RequestID?)
        case updated(TaskKey, Instant, RequestID)
        case deleted(TaskKey, RequestID)
        /// These executions are over before they ran again.
        case withdrawn([String], RequestID)
        case reply(RequestID, Reply)
        /// This boot is known.
        case noted
    }

    /// Waits for the batch before.
    var pending: [Write] = []
    /// The batch that is being written.
    var inFlight: (token: UInt64, writes: [Write])?
    var token: UInt64 = 0
    /// Since when the store refuses to write, by the boot clock.
    var failingSince: Duration?
    /// Whether a store that refused is to be tried again.
    var mustTry = false
    /// Log lines left out while the store did not write.
    var leftOut = 0
    /// Whether something of what is pending is to leave as soon as it can.
    var isUrgent = false
    /// The search for what of a batch needs a damaged page.
    var search: DamageSearch?

    var isEmpty: Bool { pending.isEmpty && inFlight == nil }
}

extension SchedulerCore {
    /// For how long the store has refused to write; nil where it writes.
    package var storeFailure: Duration? { ledger.failingSince.map { now.boot - $0 } }

    /// Changes that wait to be written.
    package var waitingChanges: Int {
        let waiting = [
            ledger.pending, ledger.inFlight?.writes, ledger.search?.failed, ledger.search?.putOff,
        ]
        return waiting.reduce(0) { $1?.reduce($0) { $0 + $1.changes.count } ?? $0 }
    }

    /// Has changes written, and what follows from that done after.
    ///
    /// What `canWait` leaves with the next change that cannot, after `writePatience` at the latest:
    /// most of what an attempt says of itself is followed by its end, and a commit is dear.
    mutating func write(
        _ changes: [StoreChange], then: Ledger.Continuation = .nothing,
        publishing published: [Published] = [], isRefusable: Bool = false, canWait: Bool = false
    ) {
        if changes.isEmpty, published.isEmpty, case .nothing = then { return }
        ledger.pending.append(
            Ledger.Write(
                changes: changes, then: then, published: published, isRefusable: isRefusable,
                execution: changes.lazy.compactMap { $0.attempt }.first.flatMap { attempts[$0] }))
        if !canWait { ledger.isUrgent = true }
        if isRefusable { ledger.mustTry = true }
    }

    /// Publishes an event in its order: after all that is on its way into the store.
    mutating func publish(_ published: Published) {
        if ledger.isEmpty { return actions.append(.publish(published)) }
        if let last = ledger.pending.indices.last {
            ledger.pending[last].published.append(published)
        } else {
            write([], publishing: [published])
        }
    }

    /// Lets what is pending leave, where nothing else is being written.
    ///
    /// At the end of a turn alone: what its reports and requests change shares the commit with what
    /// waited for the one before.
    mutating func flush() {
        guard ledger.inFlight == nil, !ledger.pending.isEmpty else { return }
        guard ledger.failingSince == nil || ledger.mustTry else { return }
        guard ledger.isUrgent || ledger.mustTry || stop != .running else {
            if bootTimers.time(of: .waitingWrites) == nil, !planted(.waitingWriteForgotten) {
                bootTimers.set(.waitingWrites, at: now.boot + settings.writePatience)
            }
            return
        }
        bootTimers.set(.waitingWrites, at: nil)
        ledger.isUrgent = false
        ledger.mustTry = false
        ledger.token += 1
        let writes = takePending()
        let changes = writes.flatMap(\.changes)
        guard !changes.isEmpty else {
            for write in writes { follow(write, []) }
            searchOn()
            return flush()
        }
        ledger.inFlight = (ledger.token, writes)
        actions.append(.write(token: ledger.token, changes))
        if planted(.replyBeforeCommit) {
            for write in writes { answerEarly(write.then) }
        }
    }

    /// A batch was written, or nothing of it was.
    mutating func committed(_ token: UInt64, _ result: BatchResult) {
        guard let flight = ledger.inFlight, flight.token == token else { return }
        ledger.inFlight = nil
        switch result {
        case .success(let results):
            let count = flight.writes.reduce(0) { $0 + $1.changes.count }
            guard results.count == count else {
                return failed(
                    flight.writes,
                    StoreTrouble(kind: .other, message: "the store answered for other changes"))
            }
            let wasFailing = ledger.failingSince != nil
            if wasFailing { log(.notice, "the store writes again") }
            ledger.failingSince = nil
            storeTrouble = nil
            bootTimers.set(.store, at: nil)
            noteLeftOut()
            var offset = 0
            for write in flight.writes {
                let end = offset + write.changes.count
                follow(write, results[offset..<end])
                offset = end
            }
            ledger.search?.hasWritten = true
            searchOn()
            if wasFailing { assessHealth() } else { assessHealthInTime() }
        case .failure(let trouble):
            if planted(.failureAsSuccess) {
                return committed(
                    restoring: flight,
                    .success(flight.writes.flatMap { $0.changes.map { _ in .outcome(.done) } }))
            }
            if !search(flight.writes, trouble) { failed(flight.writes, trouble) }
        }
    }

    private mutating func committed(
        restoring flight: (token: UInt64, writes: [Ledger.Write]), _ result: BatchResult
    ) {
        ledger.inFlight = flight
        committed(flight.token, result)
    }

    /// Nothing was written: what somebody waits for is refused, what has happened is kept.
    mutating func failed(_ writes: [Ledger.Write], _ trouble: StoreTrouble) {
        if ledger.failingSince == nil {
            ledger.failingSince = now.boot
            log(.error, "the store refused a batch", ["why": trouble.message])
        }
        storeTrouble = trouble
        bootTimers.set(.store, at: now.boot + settings.storeRetryInterval)
        var kept: [Ledger.Write] = []
        for write in writes {
            if write.isRefusable, !isAnswered(write.then) {
                undo(write.then, Self.refusal(trouble))
                // Nothing of what these wait for is in it.
                for cancel in write.cancels { cancelled(cancel.execution, cancel.request) }
                // What the undone request had to say is over with it.
            } else {
                kept.append(write)
            }
        }
        ledger.pending = kept + ledger.pending
        boundWaiting()
        assessHealth()
    }

    static func refusal(_ trouble: StoreTrouble) -> Refusal {
        Refusal(
            .unavailable, "nothing was changed: \(trouble.message)",
            hint: "type: aico scheduler health")
    }

    /// Whether it is a claim of an execution that was answered to exist: it is kept.
    private func isAnswered(_ then: Ledger.Continuation) -> Bool {
        guard case .claimed(let id) = then, let execution = executions[id] else { return false }
        return execution.asked == nil
    }

    /// While nothing can be written, lines of output are what may be left out.
    private mutating func boundWaiting() {
        guard waitingChanges > settings.maximumWaitingChanges else { return }
        for index in ledger.pending.indices where ledger.pending[index].then.isNothing {
            let before = ledger.pending[index].changes.count
            ledger.pending[index].changes.removeAll {
                if case .log = $0 { true } else { false }
            }
            ledger.leftOut += before - ledger.pending[index].changes.count
        }
    }

    private mutating func noteLeftOut() {
        guard ledger.leftOut > 0 else { return }
        log(
            .warning, "lines of output were left out while the store did not write",
            ["lines": "\(ledger.leftOut)"])
        ledger.leftOut = 0
    }

    /// Does what waited for a write that succeeded.
    private mutating func follow(_ write: Ledger.Write, _ results: ArraySlice<ChangeResult>) {
        var refusal: Refusal?
        for result in results {
            if case .refused(let why) = result {
                refusal = refusal ?? Refusal(.invalid, "the store does not take it: \(why)")
                log(.error, "the store refused a change", ["why": why])
            }
        }
        let first = results.first
        if let refusal, write.isRefusable || write.then.fallsWithItsChange {
            undo(write.then, refusal)
        } else {
            follow(write.then, first)
        }
        // A wait that could not be noted is none.
        if case .recorded = write.then, first == .outcome(.alreadyClaimed) { return }
        for published in write.published { actions.append(.publish(published)) }
        for cancel in write.cancels {
            if let refusal, !write.isRefusable {
                refuseCancel(cancel.request, refusal)
            } else {
                cancelled(cancel.execution, cancel.request)
            }
        }
    }

    private mutating func follow(_ then: Ledger.Continuation, _ result: ChangeResult?) {
        let outcome: StoreOutcome? =
            if case .outcome(let outcome) = result { outcome } else { nil }
        switch then {
        case .nothing: break
        case .noted: unnotedBoot = nil
        case .claimed(let id): claimed(id, outcome ?? .notFound)
        case .recorded(let id): recorded(id, outcome ?? .done)
        case .created(let key, let request):
            if outcome == .done {
                created(key, request)
            } else {
                undo(then, Self.taken(key.id))
            }
        case .updated(let key, let at, let request):
            if outcome == .done {
                updated(key, at, request)
            } else {
                undo(then, Refusal(.notFound, "there is no task \"\(key.id)\" any more"))
            }
        case .deleted(let key, let request): deleted(key, request)
        case .withdrawn(let ids, let request): withdrawn(ids, request)
        case .reply(let request, let reply):
            if outcome == .done || outcome == nil {
                self.reply(request, reply)
            } else {
                refuse(request, .notFound, "there is no such row any more")
            }
        }
    }

    /// Takes back what a write that failed stood for, and says so.
    mutating func undo(_ then: Ledger.Continuation, _ refusal: Refusal) {
        switch then {
        case .nothing: break
        case .noted: bootTimers.set(.boot, at: now.boot + settings.bootNoteInterval)
        case .claimed(let id), .recorded(let id): unclaimed(id, refusal)
        case .created(let key, let request):
            forget(task: key)
            if let request { reply(request, .refused(refusal)) }
            releaseRequests(of: key.id)
        case .updated(let key, let at, let request):
            if tasks[key.id]?.key == key {
                tasks[key.id]?.changes.removeAll { $0.record.updatedAt == at }
                if tasks[key.id]?.owesNextRun == true { tellNextRun(of: key) }
            }
            reply(request, .refused(refusal))
            // What was built upon it falls with it.
            let later = ledger.pending.filter { $0.then.isUpdate(of: key) }
            ledger.pending.removeAll { $0.then.isUpdate(of: key) }
            for write in later { undo(write.then, refusal) }
        case .deleted(let key, let request):
            if tasks[key.id]?.key == key {
                tasks[key.id]?.isDeleting = false
                arm(key.id)
                startAfterFailedRemoval(of: key)
            }
            reply(request, .refused(refusal))
            releaseRequests(of: key.id)
        case .withdrawn(let ids, let request):
            for id in ids { keep(id) }
            refuseCancel(request, refusal)
        case .reply(let request, _): reply(request, .refused(refusal))
        }
    }
}

extension StoreChange {
    /// The attempt that it is about.
    fileprivate var attempt: AttemptKey? {
        switch self {
        case .unclaim(let attempt, _, _), .attemptConfined(let attempt, _): attempt
        case .endAttempt(let end): end.attempt
        default: nil
        }
    }
}

extension Ledger.Continuation {
    fileprivate var isNothing: Bool { if case .nothing = self { true } else { false } }

    /// Whether what it stands for is not there once its change is refused for good.
    fileprivate var fallsWithItsChange: Bool {
        switch self {
        case .claimed, .created: true
        default: false
        }
    }

    func isClaim(of id: String) -> Bool {
        if case .claimed(id) = self { true } else { false }
    }

    fileprivate func isUpdate(of key: TaskKey) -> Bool {
        if case .updated(key, _, _) = self { true } else { false }
    }
}
