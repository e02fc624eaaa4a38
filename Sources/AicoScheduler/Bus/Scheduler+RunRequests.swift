// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire

extension Scheduler {
    func runTask(_ inquiry: Inquiry) throws(BusRefusal) {
        let entry = try entry(try ObjectReader(inquiry.body, keys: ["task"]))
        try enqueueManual(entry, .manual, deadLetter: nil, inquiry)
        audit(inquiry.client.name, "task.run", entry.id.text)
    }

    func cancelTask(_ inquiry: Inquiry) throws(BusRefusal) {
        let reader = try ObjectReader(inquiry.body, keys: ["task", "execution"])
        var cancelled: [String] = []
        if let id = try reader.string("execution") {
            if let run = runs[id], cancel(run, .requested) { cancelled.append(id) }
            cancelled += withdraw { $0.executionID == id }
        } else {
            let entry = try entry(reader)
            for run in entry.open.values where cancel(run, .requested) {
                cancelled.append(run.executionID)
            }
            cancelled += withdraw { $0.entry === entry && $0.retryOf == nil }
        }
        guard !cancelled.isEmpty else {
            throw BusRefusal(
                code: .notFound, message: "nothing of it runs", hint: "type: aico scheduler list")
        }
        audit(inquiry.client.name, "task.cancel", cancelled.joined(separator: " "))
        replyWhenWritten(inquiry) {
            .success(["cancelled": .array(cancelled.sorted().map { .string($0) })])
        }
    }

    func deadLetters(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        _ = try ObjectReader(body, keys: [])
        let letters = try reading { () throws(StoreError) in
            try store.deadLetters(limit: 1000)
        }
        return [
            "dead_letters": .array(
                letters.map { letter in
                    [
                        "id": .int(Int(letter.id)), "execution": .string(letter.executionID),
                        "task": .string(letter.taskID), "at": .instant(letter.at),
                        "reason": .string(letter.reason), "attempts": .int(letter.attempts),
                    ]
                })
        ]
    }

    func retryDeadLetter(_ inquiry: Inquiry) throws(BusRefusal) {
        let reader = try ObjectReader(inquiry.body, keys: ["id"])
        let letter = try letter(try reader.int("id", in: 1...Int.max))
        guard let id = try? TaskID(letter.taskID), let entry = tasks[id] else {
            throw BusRefusal(
                code: .conflict, message: "its task \"\(letter.taskID)\" is gone",
                hint: "purge it, or create the task again")
        }
        try enqueueManual(entry, .deadLetter, deadLetter: letter.id, inquiry)
        audit(inquiry.client.name, "dlq.retry", String(letter.id))
    }

    func purgeDeadLetters(_ inquiry: Inquiry) throws(BusRefusal) {
        let reader = try ObjectReader(inquiry.body, keys: ["id"])
        var count = 1
        if let id = try reader.int("id", in: 1...Int.max) {
            journal.add(.purgeDeadLetter(id: try letter(id).id))
        } else {
            count = try reading { () throws(StoreError) in
                try store.deadLetters(limit: .max).count
            }
            journal.add(.purgeDeadLetters(task: nil))
        }
        audit(inquiry.client.name, "dlq.purge", "\(count)")
        replyWhenWritten(inquiry) { .success(["purged": .int(count)]) }
    }

    private func letter(_ id: Int?) throws(BusRefusal) -> StoredDeadLetter {
        let letters = try reading { () throws(StoreError) in try store.deadLetters(limit: .max) }
        guard let id, let letter = letters.first(where: { $0.id == id }) else {
            throw BusRefusal(
                code: .notFound, message: "there is no such dead letter",
                hint: "type: aico scheduler dlq list")
        }
        return letter
    }

    /// Starts a task because somebody asked; refused while it is open already.
    private func enqueueManual(
        _ entry: TaskEntry, _ trigger: ExecutionTrigger, deadLetter: Int64?, _ inquiry: Inquiry
    ) throws(BusRefusal) {
        guard phase == .running else {
            throw BusRefusal(code: .unavailable, message: "the system is stopping")
        }
        let queued = queue.items.first { $0.entry === entry && $0.isManual && $0.retryOf == nil }
        if let open = entry.open.keys.min() ?? queued?.executionID {
            throw BusRefusal(
                code: .conflict, message: "\(entry.id) runs already as \(open)",
                hint: "wait for it, or type: aico scheduler cancel \(entry.id)")
        }
        let item = Waiting(
            entry: entry, trigger: trigger, plannedAt: now, deadLetter: deadLetter)
        enqueue(item)
        // By then this turn's admission has decided.
        admit()
        replyWhenWritten(inquiry) { [self] in
            .success([
                "execution": .string(item.executionID), "task": .string(entry.id.text),
                "state": runs[item.executionID] == nil ? "queued" : "running",
            ])
        }
    }

    /// Takes waiting first attempts out of the queue; gives their executions' ids.
    private func withdraw(_ isMatch: (Waiting) -> Bool) -> [String] {
        let items = queue.remove(where: isMatch)
        for item in items { skip(item, "cancelled") }
        return items.map(\.executionID)
    }
}
