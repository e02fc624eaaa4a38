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
}
