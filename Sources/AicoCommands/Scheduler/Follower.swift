// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient

/// Follows one execution to its end: each line once, whatever happens to the connection.
struct Follower {
    /// Where the lines of output go.
    enum Lines {
        case data
        case talk
        case none
    }

    /// How often Ctrl-C is looked for.
    private static let step = Duration.milliseconds(250)
    /// After this many quiet steps the state is asked for: an event may have been lost.
    private static let quietSteps = 8

    let task: String
    let execution: String
    private(set) var bus: Bus
    let connection: ConnectionOptions
    let lines: Lines
    private var printer: LinePrinter
    /// The last row of output that was read, whether it could be or not.
    private var lastRow = 0
    private var sequence: Int?
    /// What it was last said to wait for.
    private var waitsFor: String?

    init(task: String, execution: String, bus: Bus, connection: ConnectionOptions, lines: Lines) {
        self.task = task
        self.execution = execution
        self.bus = bus
        self.connection = connection
        self.lines = lines
        printer = LinePrinter(lines: lines)
    }

    /// Runs to the end; gives the execution with its attempts.
    ///
    /// The caller subscribed before it learnt of the execution.
    mutating func run(on console: Console) throws(Failure) -> (JSONValue, ExecutionView) {
        var quiet = 0
        while true {
            guard !console.isInterrupted() else {
                console.say(ErrorMessages.leftRunning(String(execution.prefix(8)), task: task))
                throw Failure(.interrupted, "")
            }
            guard let event = try nextEvent(console) else {
                quiet += 1
                guard quiet >= Self.quietSteps else { continue }
                quiet = 0
                if let end = try ending(console) { return end }
                continue
            }
            quiet = 0
            if let end = try take(event, console) { return end }
        }
    }

    /// Prints what is stored already, the last `tail` lines of it or all; `first` is what was asked
    /// for before, where that is so.
    mutating func catchUp(
        tail: Int? = nil, first: JSONValue? = nil, on console: Console
    ) throws(Failure) {
        guard lines != .none else { return }
        var leftOut = LeftOut()
        var page: JSONValue
        if let first { page = first } else { page = try ask(tail: tail) }
        while true {
            for line in page["lines"]?.array ?? [] {
                try printer.print(stored: LogLine(line), on: console)
            }
            leftOut.add(page)
            let place = page["next"]?.int ?? printer.lastID
            // A place that stays where it was would be asked for ever.
            let goesOn = tail == nil && page["more"]?.bool == true && place > lastRow
            lastRow = max(lastRow, place)
            guard goesOn else { break }
            page = try ask()
        }
        console.say(leftOut)
    }

    private func ask(tail: Int? = nil) throws(Failure) -> JSONValue {
        var body: [String: JSONValue] = ["execution": .string(execution), "limit": 1000]
        if let tail {
            body["tail"] = .int(tail)
        } else {
            body["after"] = .int(max(lastRow, printer.lastID))
        }
        return try bus.ask(.taskLogs, body)
    }

    /// Says what it waits for, once for each reason: details may change with every look.
    mutating func note(_ wait: WaitReason?, on console: Console) {
        guard let wait, wait.reason != waitsFor else { return }
        waitsFor = wait.reason
        console.say("waits: \(wait.text)")
    }

    /// The end, if it has come.
    mutating func ending(_ console: Console) throws(Failure) -> (JSONValue, ExecutionView)? {
        let data = try bus.ask(.taskStatus, ["execution": .string(execution)])
        let json = data["execution"] ?? .null
        let view = ExecutionView(json)
        note(WaitReason(queued: json), on: console)
        guard view.state == "ended" else { return nil }
        try catchUp(on: console)
        return (json, view)
    }

    private mutating func nextEvent(_ console: Console) throws(Failure) -> BusEvent? {
        do {
            return try bus.client.nextEvent(timeout: Self.step)
        } catch {
            switch error {
            case .connectionLost, .noDaemon: break
            case .silent, .crowded, .refused, .notAdmitted, .badKeyFile, .requestTooLarge,
                .badReply,
                .transport:
                throw ErrorMessages.bus(error, root: bus.root)
            }
        }
        console.say(ErrorMessages.schedulerWentAway)
        do {
            bus = try connection.connect(timeout: .seconds(15), waitsForDaemon: true)
            try bus.subscribe()
        } catch {
            throw ErrorMessages.followLost()
        }
        console.say(ErrorMessages.schedulerIsBack)
        sequence = nil
        try catchUp(on: console)
        return nil
    }

    private mutating func take(
        _ event: BusEvent, _ console: Console
    ) throws(Failure) -> (JSONValue, ExecutionView)? {
        // A gap in the count of all events: lines may be among what was dropped.
        if let sequence, event.sequence > sequence + 1 { try catchUp(on: console) }
        sequence = event.sequence
        guard event.data["execution"]?.string == execution else { return nil }
        let data = event.data
        switch BusEventTopic(rawValue: event.topic) {
        case .executionLog:
            try printer.print(live: LogLine(data), on: console)
        case .executionProgress:
            if lines != .none { console.say(Self.progress(data)) }
        case .executionDeferred:
            note(WaitReason(deferred: data), on: console)
        case .executionStarted:
            waitsFor = nil
            if let attempt = data["attempt"]?.int, attempt > 1, lines != .none {
                console.say("attempt \(attempt) started")
            }
        case .executionRetry:
            let view = ExecutionView(data)
            let outcome = [view.outcome, view.reason.map { "(\($0))" }].compactMap { $0 }
                .joined(separator: " ")
            let when = view.retryAt.map { HumanTime.relative($0, to: console.now()) } ?? "later"
            console.say(
                "attempt \(data["attempt"]?.int ?? 1) \(outcome); "
                    + "the next one starts \(when)")
        case .executionFinished:
            if let end = try ending(console) { return end }
            return Self.end(told: data)
        case .executionDeadLetter, .executionSkipped, .health, .worker, nil:
            break
        }
        return nil
    }

    /// The execution in the words of its last event, where the store is not as far yet.
    private static func end(told data: JSONValue) -> (JSONValue, ExecutionView) {
        var members = data.object ?? [:]
        members["state"] = "ended"
        members["attempts"] = members["attempt"] ?? 1
        members["attempt"] = nil
        return (.object(members), ExecutionView(.object(members)))
    }

    private static func progress(_ data: JSONValue) -> PlainText {
        let share = data["fraction"]?.double.map { "\(HumanTime.number($0 * 100, 0)) % " } ?? ""
        return "progress \(share)\(data["message"]?.string ?? "")"
    }
}
