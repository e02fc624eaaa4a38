// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusServer
import Logging
import SchedulerCore
import Synchronization
import ZeroMQ

/// A question to the store whose answer somebody waits for.
enum PendingQuery {
    /// The answer is the reply's second frame.
    case document(PendingRequest)
    /// The answer is a record that the core is to be asked about.
    case record(PendingRequest, @Sendable () -> Result<Request, BusRefusal>)
}

/// What a question found, on its way from the reader's thread.
final class Found<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}

extension Scheduler {
    /// Answers a request with what `query` reads, on a thread of the store's.
    func read(
        _ request: PendingRequest,
        _ query:
            @escaping @Sendable (ReadOnlyStore) throws(StoreError) -> Result<
                JSONValue, BusRefusal
            >
    ) {
        lastQuery += 1
        queries[lastQuery] = .document(request)
        let (id, topic) = (request.id, request.topic)
        let rows = unreadableRows
        reader.submit(token: lastQuery) { store throws(StoreError) in
            let outcome: Result<JSONValue, BusRefusal>
            do throws(StoreError) {
                outcome = try query(store)
            } catch let error where error.cause.isOfOneRow {
                rows.note(error)
                outcome = .failure(error.refusal)
            } catch let error where error.cause == .unknownCursor {
                outcome = .failure(ExecutionName.unknown(error.subject))
            }
            return BusReply(id: id, topic: topic, outcome: outcome).frames[1]
        }
    }

    /// Asks the core about what `query` reads.
    func read(
        _ request: PendingRequest,
        then make: @escaping @Sendable () -> Result<Request, BusRefusal>,
        _ query: @escaping @Sendable (ReadOnlyStore) throws(StoreError) -> Void
    ) {
        lastQuery += 1
        queries[lastQuery] = .record(request, make)
        reader.submit(token: lastQuery) { store throws(StoreError) in
            try query(store)
            return []
        }
    }

    /// The reader found an answer, or could not.
    func answered(_ token: UInt64, _ result: Result<[UInt8], StoreTrouble>) {
        guard let query = queries.removeValue(forKey: token) else { return }
        tellOfUnreadableRows()
        switch (query, result) {
        case (.document(let request), .success(let document)):
            attempt("reply") { () throws(ZeroMQError) in
                try bus.send(
                    frames: [Array(request.topic.utf8), document], to: request.client)
            }
        case (.record(let request, let make), .success):
            switch make() {
            case .success(let change): self.change(change, request)
            case .failure(let refusal): send(.failure(refusal), to: request)
            }
        case (.document(let request), .failure(let trouble)),
            (.record(let request, _), .failure(let trouble)):
            log.error("the store did not answer", metadata: ["why": "\(trouble.message)"])
            let refusal = BusRefusal(
                code: trouble.kind == .busy ? .unavailable : .internal, message: trouble.message)
            send(.failure(refusal), to: request)
        }
    }

    /// Has health tell of rows that a question met and could not read.
    private func tellOfUnreadableRows() {
        guard let check = unreadableRows.news() else { return }
        core.health.surroundings.removeAll { $0.name == check.name }
        core.health.surroundings.append(check)
        log.error("rows of the store cannot be read", metadata: ["what": "\(check.message)"])
        // Has health judged anew.
        lookAtLog(always: true)
    }
}
