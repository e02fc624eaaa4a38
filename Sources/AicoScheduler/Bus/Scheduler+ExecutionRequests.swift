// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import SchedulerCore
import Synchronization

extension Scheduler {
    /// Reads what is to be cancelled.
    func cancellation(_ body: JSONValue) throws(BusRefusal) -> Request {
        let reader = try ObjectReader(body, keys: ["task", "execution", "now"])
        let isNow = try reader.bool("now") ?? false
        guard let text = try reader.string("execution") else {
            return .cancelTask(try task(reader).id, now: isNow)
        }
        return .cancelExecution(
            try liveExecution(text)?.id ?? text.lowercased(), now: isNow)
    }

    func deadLetters(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        let reader = try ObjectReader(body, keys: ["limit", "after"])
        let limit = try reader.int("limit", in: 1...1000) ?? 1000
        let after = try reader.int("after", in: 1...Int.max).map(Int64.init)
        let rows = unreadableRows
        read(request) { store throws(StoreError) in
            let found = try store.deadLetters(before: after, limit: limit)
            return .success([
                "dead_letters": .array(found.map(\.view)),
                "next": found.next.map { .int(Int($0)) } ?? .null,
                "left_out": rows.count(found),
            ])
        }
    }

    func retryDeadLetter(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        let id = try letter(body)
        guard let id else { throw Self.noLetter }
        let found = Found<FoundLetter>()
        let rows = unreadableRows
        read(
            request,
            then: {
                switch found.value.withLock({ $0 }) {
                case .letter(let letter): .success(.retryDeadLetter(letter))
                case .unreadable(let refusal): .failure(refusal)
                case nil: .failure(Self.noLetter)
                }
            },
            { store throws(StoreError) in
                let letter = try store.find(letter: id, noting: rows)
                found.value.withLock { $0 = letter }
            })
    }

    func purgeDeadLetters(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        if let id = try letter(body) {
            let found = Found<FoundLetter>()
            let rows = unreadableRows
            read(
                request,
                then: {
                    let letter: StoredDeadLetter
                    switch found.value.withLock({ $0 }) {
                    case .letter(let found): letter = found
                    // What cannot be read can be forgotten.
                    case .unreadable: return .success(.purgeDeadLetter(id))
                    case nil: return .failure(Self.noLetter)
                    }
                    // `dlq list` no longer shows it, so there is nothing to forget.
                    guard letter.resolvedAt == nil else {
                        let refusal = SchedulerCore.sentBack(letter)
                        return .failure(
                            BusRefusal(
                                code: refusal.code.rawValue, message: refusal.message,
                                hint: refusal.hint))
                    }
                    return .success(.purgeDeadLetter(id))
                },
                { store throws(StoreError) in
                    let letter = try store.find(letter: id, noting: rows)
                    found.value.withLock { $0 = letter }
                })
        } else {
            let found = Found<Int>()
            read(
                request,
                then: { .success(.purgeDeadLetters(count: found.value.withLock { $0 } ?? 0)) },
                { store throws(StoreError) in
                    let count = try store.openDeadLetters()
                    found.value.withLock { $0 = count }
                })
        }
    }

    private func letter(_ body: JSONValue) throws(BusRefusal) -> Int64? {
        try ObjectReader(body, keys: ["id"]).int("id", in: 1...Int.max).map(Int64.init)
    }

    private static var noLetter: BusRefusal {
        BusRefusal(
            code: .notFound, message: "there is no such dead letter",
            hint: "type: aico scheduler dlq list")
    }
}

/// What a dead letter's number names.
private enum FoundLetter {
    case letter(StoredDeadLetter)
    /// Its row is there and cannot be read.
    case unreadable(BusRefusal)
}

extension StoreReads {
    /// Finds a dead letter by its number; nil where there is none.
    fileprivate func find(letter id: Int64, noting rows: UnreadableRows) throws(StoreError)
        -> FoundLetter?
    {
        do throws(StoreError) {
            return try deadLetter(id: id).map { .letter($0) }
        } catch let error where error.cause.isOfOneRow {
            rows.note(error)
            var refusal = error.refusal
            refusal.hint = "forget it with \"aico scheduler dlq purge \(id)\""
            return .unreadable(refusal)
        }
    }
}

extension StoredDeadLetter {
    /// The letter as the bus shows it.
    fileprivate var view: JSONValue {
        [
            "id": .int(Int(id)), "execution": .string(executionID), "task": .string(taskID),
            "at": .instant(at), "reason": .string(reason), "attempts": .int(attempts),
        ]
    }
}
