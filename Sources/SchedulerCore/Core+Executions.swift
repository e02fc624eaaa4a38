// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The only places where an execution comes to be, goes, or changes its state: what is counted by
/// state need not be counted one by one, nor what is a task's be looked for among all.
extension SchedulerCore {
    mutating func add(_ execution: Execution) {
        if executions[execution.id]?.state == .queued { queued -= 1 }
        executions[execution.id] = execution
        if execution.state == .queued { queued += 1 }
        if byTask[execution.task] == nil {
            byTask[execution.task] = TaskExecutions(execution)
        } else {
            byTask[execution.task]?.insert(execution)
        }
    }

    mutating func remove(_ id: String) -> Execution? {
        guard let execution = executions.removeValue(forKey: id) else { return nil }
        if execution.state == .queued { queued -= 1 }
        if byTask[execution.task]?.remove(execution) == false {
            _ = byTask.removeValue(forKey: execution.task)
        }
        return execution
    }

    /// Moves an execution on; false where the transition is not one of its state.
    mutating func move(_ id: String, _ transition: ExecutionState.Transition) -> Bool {
        guard let before = executions[id]?.state, let next = before.next(after: transition) else {
            return false
        }
        executions[id]?.state = next
        queued += (next == .queued ? 1 : 0) - (before == .queued ? 1 : 0)
        return true
    }
}
