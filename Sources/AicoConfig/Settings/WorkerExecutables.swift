// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc

extension Configuration {
    /// Which of the worker executables can never run from a directory, a sentence each.
    ///
    /// The others work without them: their classes run, and this one's tasks wait.
    public func executableWarnings(in directory: String) -> [String] {
        let known = TaskClass.allCases.map { "aico-worker-\($0.name)" }
        var warnings: [String] = []
        for name in scheduler.workerExecutables {
            let path = "\(directory)/\(name)"
            if !known.contains(name) {
                warnings.append(
                    "\(layout.configurationFile): worker_executables names \"\(name)\", which "
                        + "nobody launches; write \(known.joined(separator: ", "))")
            } else if access(path, X_OK) != 0 {
                let why = strerror(errno).map { String(cString: $0) } ?? "?"
                warnings.append(
                    "cannot run worker \"\(path)\": \(why); its tasks do not run: install it, or "
                        + "take it out of worker_executables")
            }
        }
        return warnings
    }
}
