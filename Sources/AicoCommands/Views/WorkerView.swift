// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// What a person reads of a worker in the bus's answers.
enum WorkerView {
    /// The shipped worker's class; any other's name.
    static func label(of worker: JSONValue) -> String {
        let taskClass = worker["class"]?.string ?? "?"
        guard let name = worker["name"]?.string,
            !WorkerID.shipped.contains(where: { $0.name == name })
        else { return taskClass }
        return name
    }

    /// The types that it has.
    static func types(of worker: JSONValue) -> String {
        (worker["types"]?.array ?? []).compactMap(\.string).joined(separator: " ")
    }
}
