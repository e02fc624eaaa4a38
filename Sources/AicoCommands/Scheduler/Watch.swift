// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient

/// Shows the list of tasks again and again, in place.
struct Watch {
    /// The longest time between two looks.
    private static let period = Duration.seconds(2)
    /// How long what happens together may take to arrive.
    private static let settling = Duration.milliseconds(50)

    let bus: Bus
    let body: [String: JSONValue]
    let limit: Int?

    /// Runs until Ctrl-C.
    func run(on console: Console) throws(Failure) {
        console.catchInterrupts()
        try bus.subscribe()
        if console.isTerminal { try console.write("\u{1B}[?1049h\u{1B}[?25l") }
        defer { if console.isTerminal { try? console.write("\u{1B}[?25h\u{1B}[?1049l") } }
        while !console.isInterrupted() {
            try show(try TaskList.ask(bus, body, limit: limit), on: console)
            try waitForChange(console)
        }
        throw Failure(.interrupted, "")
    }

    private func show(_ data: JSONValue, on console: Console) throws(Failure) {
        let now = console.now()
        let table = TaskList.table(data, now: now)
        var text = table.text(width: console.width(), coloured: console.isColoured)
        guard console.isTerminal else { return try console.line(text) }
        text += "\n\(table.rows.count) tasks at \(now.iso8601.prefix(19))Z; Ctrl-C ends this"
        var lines = text.lines
        if let height = console.height(), lines.count > height {
            lines.removeSubrange(max(1, height - 2)..<(lines.count - 2))
        }
        // Written over the last picture line by line: no flicker.
        try console.write(
            "\u{1B}[H" + lines.joined(separator: "\u{1B}[K\n") + "\u{1B}[K\u{1B}[J")
    }

    private func waitForChange(_ console: Console) throws(Failure) {
        let deadline = ContinuousClock.now + Self.period
        var limit = deadline
        do {
            while !console.isInterrupted() {
                let left = limit - .now
                guard left > .zero else { return }
                let step = min(left, .milliseconds(250))
                if try bus.client.nextEvent(timeout: step) != nil {
                    limit = min(limit, .now + Self.settling)
                }
            }
        } catch {
            throw ErrorMessages.bus(error, root: bus.root)
        }
    }
}
