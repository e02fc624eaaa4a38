// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

extension Console {
    /// Prints a JSON document: sorted keys, two spaces a level.
    func document(_ json: JSONValue) { line(json.text(indented: true)) }

    /// Prints a table, or says that there is nothing to show.
    func table(_ table: Table, ifEmpty sentence: String) {
        guard !table.rows.isEmpty else { return say(sentence) }
        write(table.text(width: width(), coloured: isColoured))
    }

    /// Prints names with their values.
    func sheet(_ sheet: Sheet) { write(sheet.text(coloured: isColoured)) }
}
