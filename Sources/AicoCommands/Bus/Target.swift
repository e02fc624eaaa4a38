// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// What a person named: a task by its id, or an execution by its id or the beginning of it.
enum Target: Equatable {
    case task(String)
    case execution(String)

    /// The least and the greatest length of what names an execution.
    private static let lengths = 4...36

    /// Reads an argument: task ids have dots, execution ids have none and no case.
    ///
    /// Which execution a beginning means is the scheduler's to say: it alone knows those that are
    /// queued.
    init(_ text: String) throws(Failure) {
        guard !text.contains(".") else {
            self = .task(text)
            return
        }
        let id = text.lowercased()
        let isID = id.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || $0 == 0x2D
        }
        guard isID, Self.lengths.contains(id.utf8.count) else {
            throw ErrorMessages.badTarget(text)
        }
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
