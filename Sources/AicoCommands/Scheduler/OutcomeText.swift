// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// How the end of an execution is told.
enum OutcomeText {
    /// `user.photos succeeded after 1.2 s, execution 3f2a91c0`.
    static func sentence(_ execution: ExecutionView) -> PlainText {
        var text: PlainText = "\(execution.task) \(execution.outcomeText)"
        if let duration = execution.duration { text += " after \(HumanTime.length(duration))" }
        if execution.attempts > 1 { text += " and \(execution.attempts) attempts" }
        text += ", execution \(execution.shortID)"
        if let error = execution.error, !error.isEmpty {
            text += ": \(error)"
        }
        return text
    }

    /// What stopped the last attempt, where something did.
    static func cause(of execution: ExecutionView) -> PlainText? {
        execution.attemptList.last?.cause.map { "stopped by: \($0)" }
    }
}
