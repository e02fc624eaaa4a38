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
        read(request) { store throws(StoreError) in
            let found = try store.deadLetters(before: after, limit: limit)
            let next: JSONValue =
                found.count == limit ? found.last.map { .int(Int($0.id)) } ?? .null : .null
            return .success(["dead_letters": .array(found.map(\.view)), "next": next])
        }
    }

    func retryDeadLetter(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        let id = try letter(body)
        guard let id else { throw Self.noLetter }
        let found = Found<StoredDeadLetter>()
        read(
            request,
            then: {
                found.value.withLock { $0 }.map { .success(.retryDeadLetter($0)) }
                    ?? .failure(Self.noLetter)
            },
            { store throws(StoreError) in
                let letter = try store.deadLetter(id: id)
                found.value.withLock { $0 = letter }
            })
    }

    func purgeDeadLetters(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        if let id = try letter(body) {
            let found = Found<StoredDeadLetter>()
            read(
                request,
                then: {
                    guard let letter = found.value.withLock({ $0 }) else {
                        return .failure(Self.noLetter)
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
                    let letter = try store.deadLetter(id: id)
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

extension StoredDeadLetter {
    /// The letter as the bus shows it.
    fileprivate var view: JSONValue {
        [
            "id": .int(Int(id)), "execution": .string(executionID), "task": .string(taskID),
            "at": .instant(at), "reason": .string(reason), "attempts": .int(attempts),
        ]
    }
}
