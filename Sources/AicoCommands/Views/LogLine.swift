// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// A line of an execution's output, from the store or from an event.
struct LogLine: Hashable {
    let id: Int?
    let attempt: Int
    let at: String
    let stream: String
    let line: String?

    init(_ json: JSONValue) {
        id = json["id"]?.int
        attempt = json["attempt"]?.int ?? 1
        at = json["at"]?.string ?? ""
        stream = json["stream"]?.string ?? ""
        line = json["line"]?.string
    }

    /// What makes it the same line where ids are not known yet.
    var identity: LogLine { LogLine(withoutID: self) }

    private init(withoutID other: LogLine) {
        id = nil
        attempt = other.attempt
        at = other.at
        stream = other.stream
        line = other.line
    }

    /// The line as shown: clock in UTC, stream, text.
    func text(coloured: Bool) -> PlainText {
        let clock = at.count >= 19 ? String(at.dropFirst(11).prefix(8)) : "--:--:--"
        let name = stream + String(repeating: " ", count: max(0, 7 - stream.utf8.count))
        let style: Style =
            switch stream {
            case "error": .bad
            case "stderr", "warning": .warning
            case "debug": .faint
            default: .plain
            }
        let words = line ?? "(not readable: its key is gone)"
        return Style.faint.paint("\(clock)", coloured: coloured) + " "
            + style.paint("\(name) \(words)", coloured: coloured)
    }
}
