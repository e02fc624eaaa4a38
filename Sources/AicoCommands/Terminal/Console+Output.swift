// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension Console {
    /// Writes a line of data.
    func line(_ text: PlainText) throws(Failure) { try write(text + "\n") }

    /// Writes a line of talk.
    func say(_ text: PlainText) { talk(text + "\n") }

    /// Says what the scheduler warns of beside its answer.
    func warn(of data: JSONValue) {
        if let warning = data["warning"]?.string { say("warning: \(warning)") }
    }

    /// Prints a JSON document: sorted keys, two spaces a level.
    func document(_ json: JSONValue) throws(Failure) {
        try line(PlainText(json: json, indented: true))
    }

    /// Prints a table, or says that there is nothing to show.
    func table(_ table: Table, ifEmpty sentence: PlainText) throws(Failure) {
        guard !table.rows.isEmpty else { return say(sentence) }
        try write(table.text(width: width(), coloured: isColoured))
    }

    /// Prints names with their values.
    func sheet(_ sheet: FieldList) throws(Failure) { try write(sheet.text(coloured: isColoured)) }
}
