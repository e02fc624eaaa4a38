// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import SchedulerCore

extension Scheduler {
    func status(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        let reader = try ObjectReader(body, keys: ["task", "execution"])
        if let text = try reader.string("execution") {
            if let live = try liveExecution(text), live.attempts == 0 {
                return send(.success(["execution": view(of: live)]), to: request)
            }
            let live = try liveExecution(text)
            let name = live?.id ?? text
            let waits = live.map { waitsView(of: $0) } ?? .null
            let rows = unreadableRows
            return read(request) { store throws(StoreError) in
                switch try store.find(name) {
                case .failure(let refusal): return .failure(refusal)
                case .success(let execution):
                    let attempts = try store.attempts(execution: execution.id)
                    return .success([
                        "execution": execution.view(attempts: attempts.records)
                            .adding("waits", waits), "left_out": rows.count(attempts),
                    ])
                }
            }
        }
        let task = try task(reader)
        let view = view(of: task)
        let isKnown = task.lastOutcome != nil
        let waits = waits(ofBegun: WaitingExecutions.all(in: core).filter { $0.task == task.key })
        let rows = unreadableRows
        read(request) { store throws(StoreError) in
            let latest = try store.history(uid: task.key.uid, limit: 5)
            let outcome = latest.first { $0.outcome != nil }?.outcome
            return .success([
                "task": isKnown ? view : view.adding("last_outcome", .text(outcome)),
                "executions": .array(latest.map { $0.view().adding("waits", waits[$0.id]) }),
                "left_out": rows.count(latest),
            ])
        }
    }

    func history(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        let reader = try ObjectReader(body, keys: ["task", "outcome", "since", "limit", "after"])
        let id = try reader.taskID("task")
        let outcome = try reader.choice("outcome", of: Outcome.Kind.self)?.rawValue
        let since = try reader.instant("since")
        let limit = try reader.int("limit", in: 1...1000) ?? 20
        let after = try reader.string("after")?.lowercased()
        let task = id.flatMap { core.tasks[$0] }
        let unknown: BusRefusal? = id.map { self.unknown($0) }
        // What waits for its first attempt has no row: it stands beside the first page.
        let waiting = WaitingExecutions.all(in: core).filter {
            id == nil || $0.task.id == id && $0.task == task?.key
        }
        let waits = waits(ofBegun: waiting)
        let queued =
            after != nil || outcome != nil
            ? [] : queuedViews(waiting.filter { $0.attempts == 0 })
        let rows = unreadableRows
        read(request) { store throws(StoreError) in
            // A deleted task has its history still, under its name.
            let found = try store.history(
                task: task == nil ? id?.text : nil, uid: task?.key.uid, outcome: outcome,
                since: since, before: after, limit: limit)
            // One that never was is a mistake.
            if found.last == nil, after == nil, queued.isEmpty, task == nil, let unknown {
                return .failure(unknown)
            }
            let views = found.map { $0.view().adding("waits", waits[$0.id]) }
            return .success([
                "executions": .array(views), "next": .text(try store.cursor(of: found)),
                "queued": .array(queued), "left_out": rows.count(found),
            ])
        }
    }

    /// The most queued executions that a history shows, the longest waiting first.
    private static let mostQueued = 100

    private func queuedViews(_ waiting: [Execution]) -> [JSONValue] {
        waiting.sorted { ($0.queuedAt, $0.id) < ($1.queuedAt, $1.id) }
            .prefix(Self.mostQueued).map { view(of: $0) }
    }

    /// What those that have rows, and whose next attempt was due, wait for.
    private func waits(ofBegun waiting: some Sequence<Execution>) -> [String: JSONValue] {
        Dictionary(
            waiting.filter { $0.attempts > 0 }.map { ($0.id, waitsView(of: $0)) },
            uniquingKeysWith: { first, _ in first })
    }

    func logs(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        let reader = try ObjectReader(body, keys: ["task", "execution", "after", "limit", "tail"])
        let page = LogPage(
            rows: unreadableRows, after: try reader.int("after", in: 0...Int.max) ?? 0,
            limit: try reader.int("limit", in: 1...10_000) ?? 1000,
            tail: try reader.int("tail", in: 1...10_000))
        if let text = try reader.string("execution") {
            let live = try liveExecution(text)
            if let live, live.attempts == 0 {
                return send(
                    .success(page.empty(view(of: live))), to: request)
            }
            let name = live?.id ?? text
            return read(request) { store throws(StoreError) in
                switch try store.find(name) {
                case .failure(let refusal): return .failure(refusal)
                case .success(let execution): return .success(try page.read(execution, store))
                }
            }
        }
        guard let id = try reader.taskID("task") else {
            throw BusRefusal(code: .invalid, message: "\"task\" is missing", hint: "name the task")
        }
        let task = core.tasks[id]
        let unknown: BusRefusal = self.unknown(id)
        read(request) { store throws(StoreError) in
            let found = try store.history(
                task: task == nil ? id.text : nil, uid: task?.key.uid, limit: 1)
            let passed = page.rows.count(found)
            if let latest = found.first {
                return .success(try page.read(latest, store, behind: passed.int ?? 0))
            }
            guard task != nil || found.last != nil else { return .failure(unknown) }
            return .success(page.empty().adding("left_out", passed))
        }
    }

    func nextRuns(_ body: JSONValue, _ request: PendingRequest) throws(BusRefusal) {
        let reader = try ObjectReader(body, keys: ["task", "count"])
        let count = try reader.int("count", in: 1...1000) ?? 5
        let one = reader.value("task") == nil ? nil : try task(reader)
        let all = core.tasks
        // A schedule that is seldom met takes time, as do a million tasks: the loop does not wait
        // for it. What it changes meanwhile is copied in parts.
        read(request) { _ in
            var runs = UpcomingExecutions<Planner.Timetable>(count: count)
            if let one {
                runs.add(one)
            } else {
                for task in all.values { runs.add(task) }
            }
            let found = runs.merged { table, at in table.next(after: at) }
            return .success([
                "next": .array(
                    found.map { ["task": .string($0.task), "at": .instant($0.at)] })
            ])
        }
    }
}

extension UpcomingExecutions<Planner.Timetable> {
    fileprivate mutating func add(_ task: TaskState) {
        guard task.record.enabled, let at = task.record.nextRun, takes(at) else { return }
        add(task.id.text, at: at, task.table)
    }
}

extension StoreReads {
    /// The execution that an id, or the beginning of one, names.
    func find(_ text: String) throws(StoreError) -> Result<StoredExecution, BusRefusal> {
        let id = text.lowercased()
        if let exact = try execution(id) { return .success(exact) }
        guard ExecutionName.isPrefix(id) else { return .failure(ExecutionName.unknown(text)) }
        let found = try executionIDs(matchingPrefix: id)
        guard found.count < 2 else { return .failure(ExecutionName.ambiguous(text)) }
        guard let only = found.first, let execution = try execution(only) else {
            return .failure(ExecutionName.unknown(text))
        }
        return .success(execution)
    }
}

/// Which lines of an execution's output are asked for.
struct LogPage: Sendable {
    /// A reply carries at most this much log text.
    private static let maximumBytes = 4 * 1024 * 1024

    let rows: UnreadableRows
    let after: Int
    let limit: Int
    let tail: Int?

    /// No line of an execution.
    func empty(_ execution: JSONValue = .null) -> JSONValue {
        [
            "execution": execution, "lines": [], "more": false, "next": .int(after), "left_out": 0,
        ]
    }

    /// - Parameter passed: how many later executions of the task could not be read.
    func read(
        _ execution: StoredExecution, _ store: ReadOnlyStore, behind passed: Int = 0
    ) throws(StoreError) -> JSONValue {
        var found = try store.logs(
            execution: execution.id, after: Int64(after), limit: tail ?? limit,
            fromEnd: tail != nil)
        let attempts = try store.attempts(execution: execution.id)
        _ = rows.count(attempts)
        let numbers = Dictionary(
            attempts.map { ($0.key, Int($0.number)) }, uniquingKeysWith: { first, _ in first })
        let fitting = Self.fitting(tail == nil ? found.records : found.reversed())
        let isWhole = fitting.count == found.count
        if !isWhole, let last = fitting.last?.id {
            // What lies behind belongs to the page that has the lines there.
            found.unreadable.removeAll { tail == nil ? $0.row > last : $0.row < last }
            if tail == nil { found.last = last }
        }
        let views: [JSONValue] = (tail == nil ? fitting : fitting.reversed()).map { line in
            [
                "id": .int(Int(line.id)), "attempt": .int(numbers[line.attempt] ?? 0),
                "at": .instant(line.at),
                "stream": .text(LogStream(rawValue: line.stream)?.name),
                "line": .text(line.line),
            ]
        }
        let leftOut = rows.count(found).int ?? 0
        return [
            "execution": execution.view(), "lines": .array(views),
            "more": .bool(!isWhole || found.isCut),
            "next": .int(found.last.map(Int.init) ?? after), "left_out": .int(passed + leftOut),
        ]
    }

    /// The first lines that fit a reply.
    private static func fitting(_ lines: [StoredLogLine]) -> [StoredLogLine] {
        var bytes = 0
        return Array(
            lines.prefix { line in
                // As JSON: a control character takes six bytes.
                bytes += (line.line ?? "").utf8.reduce(160) { $0 + ($1 < 0x20 ? 6 : 2) }
                return bytes <= maximumBytes
            })
    }
}
