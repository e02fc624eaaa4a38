// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// What a person named: a task by its id, or an execution by its id or the beginning of it.
enum Target: Equatable {
    case task(String)
    case execution(String)

    /// The length of an execution's whole id.
    private static let wholeLength = 36

    /// Reads an argument: task ids have dots, execution ids have none.
    init(_ text: String, on bus: Bus) throws(Failure) {
        guard !text.contains(".") else {
            self = .task(text)
            return
        }
        guard text.utf8.count < Self.wholeLength else {
            self = .execution(text)
            return
        }
        let data = try bus.ask(.taskHistory, ["limit": 1000])
        let found = (data["executions"]?.array ?? []).compactMap { $0["execution"]?.string }
            .filter { $0.hasPrefix(text.lowercased()) }
        guard let id = found.first else { throw Wording.noExecution(text) }
        guard found.count == 1 else { throw Wording.ambiguous(text, found.count) }
        self = .execution(id)
    }

    /// The member of a request's body that names it.
    var body: [String: JSONValue] {
        switch self {
        case .task(let id): ["task": .string(id)]
        case .execution(let id): ["execution": .string(id)]
        }
    }
}
