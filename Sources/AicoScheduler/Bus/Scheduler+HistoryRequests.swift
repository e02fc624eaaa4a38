// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire

extension Scheduler {
    /// A reply carries at most this much log text.
    private static let maximumLogReplyBytes = 4 * 1024 * 1024

    func status(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        let reader = try ObjectReader(body, keys: ["task", "execution"])
        if let id = try reader.string("execution") {
            if let waiting = queued(id) { return ["execution": view(of: waiting)] }
            let execution = try execution(id)
            let attempts = try reading { () throws(StoreError) in
                try store.attempts(execution: id)
            }
            return ["execution": view(of: execution, attempts: attempts)]
        }
        let entry = try entry(reader)
        let latest = try reading { () throws(StoreError) in
            try store.history(task: entry.id.text, limit: 5)
        }
        return [
            "task": view(of: entry), "executions": .array(latest.map { view(of: $0) }),
        ]
    }

    /// What is to become an execution whose id was told already.
    private func queued(_ execution: String) -> Waiting? {
        queue.items.first { $0.executionID == execution && $0.retryOf == nil }
    }

    func history(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        let reader = try ObjectReader(body, keys: ["task", "outcome", "since", "limit"])
        let task = try reader.taskID("task")
        let outcome = try reader.choice("outcome", of: Outcome.Kind.self)
        let since = try reader.instant("since")
        let limit = try reader.int("limit", in: 1...1000) ?? 20
        let found = try reading { () throws(StoreError) in
            try store.history(
                task: task?.text, outcome: outcome?.rawValue, since: since, limit: limit)
        }
        // A deleted task has its history still; one that never was is a mistake.
        if found.isEmpty, let task, tasks[task] == nil { _ = try entry(reader) }
        return ["executions": .array(found.map { view(of: $0) })]
    }

    /// The first lines that fit a reply.
    private static func fitting(_ lines: [StoredLogLine]) -> [StoredLogLine] {
        var bytes = 0
        return Array(
            lines.prefix { line in
                // As JSON: a control character takes six bytes.
                bytes += (line.line ?? "").utf8.reduce(160) { $0 + ($1 < 0x20 ? 6 : 2) }
                return bytes <= maximumLogReplyBytes
            })
    }

    func logs(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        let reader = try ObjectReader(body, keys: ["task", "execution", "after", "limit", "tail"])
        let after = try reader.int("after", in: 0...Int.max) ?? 0
        let limit = try reader.int("limit", in: 1...10_000) ?? 1000
        let tail = try reader.int("tail", in: 1...10_000)
        let found: StoredExecution?
        if let id = try reader.string("execution") {
            if let waiting = queued(id) {
                return ["execution": view(of: waiting), "lines": [], "more": false]
            }
            found = try execution(id)
        } else {
            let id = try reader.taskID("task")
            found = try reading { () throws(StoreError) in
                try store.history(task: id?.text ?? "", limit: 1).first
            }
            if found == nil { _ = try entry(reader) }
        }
        guard let found else { return ["execution": .null, "lines": []] }
        let (lines, attempts) = try reading { () throws(StoreError) in
            (
                try store.logs(
                    execution: found.id, after: Int64(after), limit: tail ?? limit,
                    fromEnd: tail != nil),
                try store.attempts(execution: found.id)
            )
        }
        let numbers = Dictionary(
            attempts.map { ($0.key, Int($0.number)) }, uniquingKeysWith: { first, _ in first })
        let fitting = Self.fitting(tail == nil ? lines : lines.reversed())
        let views: [JSONValue] = (tail == nil ? fitting : fitting.reversed()).map { line in
            [
                "id": .int(Int(line.id)), "attempt": .int(numbers[line.attempt] ?? 0),
                "at": .instant(line.at),
                "stream": .text(LogStream(rawValue: line.stream)?.name),
                "line": .text(line.line),
            ]
        }
        let isMore = fitting.count < lines.count || tail == nil && lines.count == limit
        return ["execution": view(of: found), "lines": .array(views), "more": .bool(isMore)]
    }

    private func execution(_ id: String) throws(BusRefusal) -> StoredExecution {
        let found = try reading { () throws(StoreError) in try store.execution(id) }
        guard let found else {
            throw BusRefusal(
                code: .notFound, message: "there is no execution \"\(id.prefix(64))\"",
                hint: "type: aico scheduler history")
        }
        return found
    }

    func nextRuns(_ body: JSONValue) throws(BusRefusal) -> JSONValue {
        let reader = try ObjectReader(body, keys: ["task", "count"])
        let count = try reader.int("count", in: 1...1000) ?? 5
        let entries =
            reader.value("task") == nil ? Array(tasks.values) : [try entry(reader)]
        var found: [(at: Instant, task: String)] = []
        for entry in entries where entry.task.enabled {
            var at = entry.task.nextRun
            for _ in 0..<count {
                guard let instant = at else { break }
                found.append((instant, entry.id.text))
                at = entry.table.next(after: instant)
            }
        }
        found.sort { $0.at != $1.at ? $0.at < $1.at : $0.task < $1.task }
        return [
            "next": .array(
                found.prefix(count).map {
                    ["task": .string($0.task), "at": .instant($0.at)]
                })
        ]
    }
}
