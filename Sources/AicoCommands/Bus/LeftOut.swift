// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// How many rows of the store replies leave out since they cannot be read.
struct LeftOut {
    /// The replies' member.
    static let member = "left_out"

    private(set) var rows = 0

    init() {}

    /// Those of one reply.
    init(of reply: JSONValue) { add(reply) }

    /// Adds those of a further reply.
    mutating func add(_ reply: JSONValue) { rows += reply[Self.member]?.int ?? 0 }

    /// The number, for a document.
    var json: JSONValue { .int(rows) }
}

extension Console {
    /// Says what a list leaves out, where it does.
    func say(_ leftOut: LeftOut) {
        if leftOut.rows > 0 { say(ErrorMessages.leftOut(leftOut.rows)) }
    }
}
