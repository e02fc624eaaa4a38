// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Prints lines that come by two ways, from the store and live, each once.
struct LinePrinter {
    /// How many lines without an id are remembered at most.
    private static let maximumKept = 20_000

    let lines: Follower.Lines
    /// The last id that was printed.
    private(set) var lastID = 0
    /// Lines from the store whose live form, without an id, may yet come.
    private var stored: [LogLine: Int] = [:]
    /// Lines that came live without an id and may yet be read from the store.
    private var live: [LogLine: Int] = [:]

    init(lines: Follower.Lines) { self.lines = lines }

    /// Prints a line of the store unless it was printed.
    mutating func print(stored line: LogLine, on console: Console) throws(Failure) {
        if let id = line.id {
            guard id > lastID else { return }
            lastID = id
        }
        if Self.take(line.identity, from: &live) { return }
        Self.keep(line.identity, in: &stored)
        try put(line, on: console)
    }

    /// Prints a line of an event unless it was printed.
    mutating func print(live line: LogLine, on console: Console) throws(Failure) {
        if let id = line.id {
            guard id > lastID else { return }
            lastID = id
        } else {
            if Self.take(line.identity, from: &stored) { return }
            Self.keep(line.identity, in: &live)
        }
        try put(line, on: console)
    }

    private func put(_ line: LogLine, on console: Console) throws(Failure) {
        switch lines {
        case .data: try console.line(line.text(coloured: console.isColoured))
        case .talk: console.say(line.text(coloured: false))
        case .none: break
        }
    }

    private static func take(_ line: LogLine, from lines: inout [LogLine: Int]) -> Bool {
        guard let count = lines[line] else { return false }
        lines[line] = count > 1 ? count - 1 : nil
        return true
    }

    private static func keep(_ line: LogLine, in lines: inout [LogLine: Int]) {
        if lines.count >= maximumKept { lines.removeAll() }
        lines[line, default: 0] += 1
    }
}
