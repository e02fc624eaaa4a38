// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

extension Configuration {
    /// What is right in form and still cannot be meant, a sentence each.
    ///
    /// No errors: an instant that was to come when the file was written must not stop the system
    /// when it has passed.
    package func warnings(at now: Instant) -> [String] {
        builtInTasks.compactMap { task in
            guard task.isEnabled, case .at(let instant) = task.schedule.kind, instant <= now else {
                return nil
            }
            return "\(layout.configurationFile): task \(task.id) never runs: "
                + "\"\(task.schedule.text)\" is in the past; write a later instant, "
                + "or enabled: false"
        }
    }

    /// Names tasks of the configuration whose time limit the profile of their class cuts.
    ///
    /// - Parameter limits: the longest attempt that each profile permits.
    package func timeoutWarnings(limits: [TaskClass: Duration]) -> [String] {
        builtInTasks.compactMap { task in
            let taskClass = task.id.taskClass
            guard let timeout = task.policies.timeout, let limit = limits[taskClass],
                timeout > limit
            else { return nil }
            let held = limit.components.seconds
            return "\(layout.configurationFile): timeout of task \(task.id): "
                + "\(timeout.components.seconds) s is more than the profile of class "
                + "\(taskClass.name) permits, which holds: \(held) s; write timeout: \(held), or "
                + "raise limits.wall_seconds in \(taskClass.name).yaml"
        }
    }
}
