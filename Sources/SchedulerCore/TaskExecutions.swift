// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// The executions of one task that are not over: what is asked of a task looks at no other's.
///
/// Beside the tasks and not in them: a copy of a task that somebody holds would have all of this
/// copied at the next change.
struct TaskExecutions: Sendable {
    /// One of them, and the others: a task mostly has one, which takes no set of its own.
    private var one: String
    private var others: Set<String> = []
    /// Those of them that somebody asked for.
    private(set) var requested: Set<String> = []
    /// Those of them that wait for each other.
    var line = Line()

    /// Takes the first.
    init(_ execution: Execution) {
        one = execution.id
        if execution.trigger.isRequested { requested.insert(one) }
    }

    /// All of them, in no order.
    var ids: [String] { [one] + others }

    /// Takes one more, or the same again.
    mutating func insert(_ execution: Execution) {
        if execution.id != one { others.insert(execution.id) }
        if execution.trigger.isRequested { requested.insert(execution.id) }
    }

    /// Takes one out; false where it was the last.
    mutating func remove(_ execution: Execution) -> Bool {
        requested.remove(execution.id)
        line.remove(execution.id, isRequested: execution.trigger.isRequested)
        if execution.id != one {
            others.remove(execution.id)
            return true
        }
        guard let next = others.popFirst() else { return false }
        one = next
        return true
    }
}

extension SchedulerCore {
    /// The executions of a task that are not over, in no order.
    package func executions(of key: TaskKey) -> [Execution] {
        (byTask[key]?.ids ?? []).compactMap { executions[$0] }
    }

    /// The first of a task's executions that wait for each other.
    package func firstInLine(of key: TaskKey) -> String? { byTask[key]?.line.first }
}
