// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser
import TimeZones

/// `aico scheduler show`.
struct TaskShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a task with its last executions, or an execution with its attempts.",
        discussion: """
            Examples:
              aico scheduler show user.photos
              aico scheduler show 3f2a91c0
            """)

    @Argument(help: "A task's id, or an execution's id or its beginning.")
    var id: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let console = Console.current
        let target = try Target(id)
        let data = try connection.connect().ask(.taskStatus, target.body)
        guard !output.json else { return try console.document(data) }
        defer { console.say(LeftOut(of: data)) }
        switch target {
        case .task:
            try show(task: TaskView(data["task"] ?? .null), on: console)
            let executions = (data["executions"]?.array ?? []).map { ExecutionView($0) }
            guard !executions.isEmpty else { return }
            try console.line("")
            let table = ExecutionView.table(executions, now: console.now(), withTask: false)
            try console.table(table, ifEmpty: "")
        case .execution:
            try show(execution: ExecutionView(data["execution"] ?? .null), on: console)
        }
    }

    private func show(task: TaskView, on console: Console) throws(Failure) {
        let now = console.now()
        let zone = (try? TimeZoneStore.load(task.timezone)) ?? .utc
        func moment(_ instant: Instant?) -> String? {
            instant.map {
                "\(HumanTime.absolute($0, in: zone)) (\(HumanTime.relative($0, to: now)))"
            }
        }
        var sheet = FieldList()
        sheet.add("task", task.id)
        sheet.add("type", task.type)
        sheet.add("state", task.state, Style.of(task.state))
        sheet.add("execution", task.running)
        sheet.add(
            "waits",
            task.waits.map { waits in
                let which = (waits.execution ?? "").prefix(8)
                return "execution \(which) \(waits.sentence(now: now))"
            }, .warning)
        sheet.add("schedule", task.schedule)
        sheet.add("time zone", task.timezone)
        sheet.add("next run", task.isEnabled ? moment(task.nextRun) ?? "never" : "disabled")
        sheet.add("last run", moment(task.lastRun) ?? "never")
        sheet.add("outcome", task.lastOutcome, Style.of(task.lastOutcome ?? ""))
        sheet.add("config", json: task.config.withShortTexts)
        sheet.add("policies", json: task.policies == [:] ? .null : task.policies)
        if let cut = task.cutTimeout { sheet.add("timeout", cut) }
        sheet.add("created", moment(task.created))
        sheet.add("updated", task.updated == task.created ? nil : moment(task.updated))
        sheet.add("origin", task.origin)
        try console.sheet(sheet)
    }

    private func show(execution: ExecutionView, on console: Console) throws(Failure) {
        let now = console.now()
        func moment(_ instant: Instant?) -> String? {
            instant.map { "\($0.iso8601) (\(HumanTime.relative($0, to: now)))" }
        }
        var sheet = FieldList()
        sheet.add("execution", execution.id)
        sheet.add("task", execution.task)
        sheet.add("trigger", execution.trigger)
        sheet.add("outcome", execution.outcomeText, execution.style)
        sheet.add("waits", execution.waits?.sentence(now: now), .warning)
        sheet.add("planned", moment(execution.planned))
        sheet.add("started", moment(execution.started))
        sheet.add("completed", moment(execution.completed))
        sheet.add("took", execution.duration.map(HumanTime.length))
        sheet.add("retry", moment(execution.retryAt))
        sheet.add("error", execution.error, .bad)
        sheet.add("result", json: execution.result)
        for attempt in execution.attemptList { attempt.describe(in: &sheet) }
        try console.sheet(sheet)
    }
}

extension JSONValue {
    /// The longest text of a config that is shown to people, in bytes.
    private static let longestShown = 256

    /// The value with its long texts cut and marked, as file contents are; `--json` has them whole.
    fileprivate var withShortTexts: JSONValue {
        if let text = string { return .string(CutText.fitting(text, limit: Self.longestShown)) }
        if let elements = array { return .array(elements.map(\.withShortTexts)) }
        if let members = object { return .object(members.mapValues(\.withShortTexts)) }
        return self
    }
}
