// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore

/// Collects one loop turn's changes and writes them in one transaction.
///
/// What depends on a change being on the disk (an order, an event, a reply) waits here until it
/// is. A batch that the store cannot take now is kept and tried again.
final class Journal {
    typealias Completion = (StoreOutcome) -> Void

    /// What a flush came to.
    enum Flush: Equatable {
        case nothing
        case written
        /// The store is busy or full; the batch is kept.
        case kept
    }

    private let store: TaskStore
    private let report: (StoreError) -> Void
    private var changes: [StoreChange] = []
    private var completions: [Completion?] = []
    private var afterwards: [() -> Void] = []
    /// Since when the store refuses to write.
    private(set) var failingSince: Instant?

    init(store: TaskStore, report: @escaping (StoreError) -> Void) {
        self.store = store
        self.report = report
    }

    var isEmpty: Bool { changes.isEmpty && afterwards.isEmpty }

    /// Adds a change; `then` hears its outcome once it is on the disk.
    func add(_ change: StoreChange, then: Completion? = nil) {
        changes.append(change)
        completions.append(then)
    }

    /// Adds something to be done once all changes so far are on the disk.
    func whenWritten(_ action: @escaping () -> Void) { afterwards.append(action) }

    /// Writes the batch, then tells everybody who waits for it, in order.
    func flush(at now: Instant) -> Flush {
        guard !isEmpty else { return .nothing }
        guard let outcomes = write(at: now) else { return .kept }
        let heard = completions
        changes.removeAll(keepingCapacity: true)
        completions.removeAll(keepingCapacity: true)
        let actions = afterwards
        afterwards.removeAll(keepingCapacity: true)
        for (completion, outcome) in zip(heard, outcomes) { completion?(outcome) }
        for action in actions { action() }
        return .written
    }

    /// Writes the transaction; nil where the store cannot take it now.
    private func write(at now: Instant) -> [StoreOutcome]? {
        do throws(StoreError) {
            let outcomes = changes.isEmpty ? [] : try store.perform(changes)
            failingSince = nil
            return outcomes
        } catch {
            if failingSince == nil { report(error) }
            if error.mayPass {
                failingSince = failingSince ?? now
                return nil
            }
            failingSince = nil
            return performOneByOne()
        }
    }

    /// One change that the store will never take must not keep the others out.
    private func performOneByOne() -> [StoreOutcome] {
        changes.map { change in
            do throws(StoreError) {
                return try store.perform([change]).first ?? .notFound
            } catch {
                report(error)
                return .notFound
            }
        }
    }
}

extension StoreError {
    /// Whether trying again later may help.
    var mayPass: Bool {
        switch cause {
        case .busy, .noSpace: true
        case .damaged, .tooLarge, .newerSchema, .sealed, .malformedRow, .database: false
        }
    }
}
