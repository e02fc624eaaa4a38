// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
package import AicoWire
import Glibc
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
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let most = WorkerID.maximumCount * (WorkerDescription.maximumBytes + 5)
        while bytes.count <= most {
            let count = pread(
                WorkerDescription.descriptor, &chunk, chunk.count, off_t(bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                return bytes.isEmpty ? nil : WorkerDescription.decode(bytes)
            }
            bytes += chunk[..<count]
        }
        return nil
    }
}
