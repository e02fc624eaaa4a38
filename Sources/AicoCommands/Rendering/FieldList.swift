// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// Names with their values, one a line; what `show` verbs print.
struct FieldList {
    private var lines: [(name: PlainText, value: Table.Cell)] = []

    /// Adds a line; a nil value is left out.
    mutating func add(_ name: String, _ value: String?, _ style: Style = .plain) {
        guard let value else { return }
        lines.append((PlainText(name), Table.Cell(value, style)))
    }

    /// Adds a line with a JSON value; a nil one is left out, and null, which a nil literal may be.
    mutating func add(_ name: String, json value: JSONValue?) {
        guard let value, !value.isNull else { return }
        lines.append((PlainText(name), Table.Cell(plain: PlainText(json: value))))
    }

    /// Gives the lines, the values in one column.
    func text(coloured: Bool) -> PlainText {
        let width = lines.reduce(0) { max($0, $1.name.width) } + 2
        return lines.reduce(into: "") { result, line in
            result += Style.heading.paint(line.name, coloured: coloured)
            result += .spaces(width - line.name.width)
            result += line.value.style.paint(line.value.text, coloured: coloured) + "\n"
        }
    }
}
