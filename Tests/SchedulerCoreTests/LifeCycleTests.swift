// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import SchedulerCore
import Testing

/// The tables of the three life cycles, cell by cell, as docs/execution-lifecycle.md shows them.
struct LifeCycleTests {
    private static var page: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/execution-lifecycle.md")
    }

    /// A table of states and transitions; an empty cell cannot come about.
    private static func table(
        _ states: [String], _ transitions: [String], _ next: (Int, Int) -> String?
    ) -> String {
        var lines = ["| | " + transitions.map { "`\($0)`" }.joined(separator: " | ") + " |"]
        lines.append("|---|" + transitions.map { _ in "---|" }.joined())
        for (row, state) in states.enumerated() {
            let cells = transitions.indices.map { next(row, $0) ?? "" }
            lines.append("| `\(state)` | " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }

    static let executions: String = {
        let states = ExecutionState.allCases
        let transitions = ExecutionState.Transition.allCases
        return table(states.map(\.rawValue), transitions.map(\.rawValue)) {
            states[$0].next(after: transitions[$1])?.rawValue
        }
    }()

    static let workers: String = {
        let states = WorkerState.allCases
        let transitions = WorkerState.Transition.allCases
        return table(states.map(\.rawValue), transitions.map(\.rawValue)) {
            states[$0].next(after: transitions[$1])?.rawValue
        }
    }()

    static let stops: String = {
        let states: [StopState] = [.running, .stopping, .draining, .ended(0)]
        let transitions = StopState.Transition.allCases
        return table(["running", "stopping", "draining", "ended"], transitions.map(\.rawValue)) {
            states[$0].next(after: transitions[$1]).map { "\($0)" }
        }
    }()

    @Test(arguments: [executions, workers, stops])
    func thePageShowsTheTable(table: String) throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        #expect(text.contains(table), "put this into the page:\n\(table)")
    }

    @Test func whatIsOverStaysOver() {
        for transition in ExecutionState.Transition.allCases {
            #expect(ExecutionState.over.next(after: transition) == nil)
        }
        for transition in StopState.Transition.allCases {
            #expect(StopState.ended(0).next(after: transition) == nil)
        }
    }

    @Test func everyStateIsReachedAndLeft() {
        let reached = Set(
            ExecutionState.allCases.flatMap { state in
                ExecutionState.Transition.allCases.compactMap { state.next(after: $0) }
            })
        #expect(reached == Set(ExecutionState.allCases))
        for state in WorkerState.allCases {
            #expect(WorkerState.Transition.allCases.contains { state.next(after: $0) != nil })
        }
    }
}
