// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoWire
import Logging

extension Scheduler {
    /// How long all workers together may take to describe themselves.
    private static let describeSeconds = 5

    /// Asks the configured worker executables of a directory for their types.
    public func discover(in directory: String) {
        guard configuration.scheduler.autoDiscover else { return }
        let workers = configuration.scheduler.workerExecutables
        let answers = DescribeRun.run(
            workers.map { "\(directory)/\($0)" }, limit: Registry.maximumBytes,
            seconds: Self.describeSeconds)
        for (worker, answer) in zip(workers, answers) {
            take(answer, of: worker)
        }
        for problem in registry.problems {
            log.error("worker's types are not known", metadata: ["why": "\(problem)"])
        }
    }

    private func take(_ answer: DescribeRun.Answer, of worker: String) {
        // The name of the executable says its class: `aico-worker-user`.
        guard let name = worker.split(separator: "-").last, let taskClass = TaskClass(name: name)
        else { return registry.note("its name does not end in a class", of: worker) }
        switch answer {
        case .text(let bytes):
            registry.add(description: bytes, of: worker, taskClass: taskClass)
        case .failed(let why):
            registry.note(why, of: worker)
        }
    }
}
