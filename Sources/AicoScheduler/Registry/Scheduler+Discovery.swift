// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
package import AicoWire
import LinuxSystem
import SystemPackage
import Logging
import SchedulerCore

extension Scheduler {
    /// Takes what the workers say of their types, by their numbers.
    package func discover(_ descriptions: [WorkerDescription]) {
        guard configuration.scheduler.autoDiscover else { return }
        registry = Registry(core.workers.map(\.id), described: descriptions)
        for problem in registry.problems {
            log.error("worker's types are not known", metadata: ["why": "\(problem)"])
        }
    }
}

extension [WorkerDescription] {
    /// Reads the file that the supervisor left open; nil where there is none.
    static func inherited() -> [WorkerDescription]? {
        let most = WorkerID.maximumCount * (WorkerDescription.maximumBytes + 5)
        let file = FileDescriptor(rawValue: WorkerDescription.descriptor)
        guard let bytes = (try? file.content(limit: most)) ?? nil, !bytes.isEmpty else {
            return nil
        }
        return WorkerDescription.decode(bytes)
    }
}
