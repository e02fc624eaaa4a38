// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Logging
import ZeroMQ

extension Scheduler {
    /// How long a worker may take to answer a ping before it is sent another.
    private static let greetInterval = Duration.seconds(5)

    /// Takes what the supervisor has to say.
    func takeSupervisorMessages() {
        while let event = supervisor.receive() {
            switch event {
            case .closed:
                log.error("the supervisor is gone; ending")
                phase = .ended(1)
                return
            case .message(let message):
                take(message)
            }
        }
    }

    private func take(_ message: SupervisorMessage) {
        let pipe = pipe(message.taskClass)
        switch message.kind {
        case .launched:
            guard case .absent = pipe.worker else { return }
            attempt("greet") { () throws(ZeroMQError) in
                try pipe.begin(processID: message.processID, at: now)
            }
            timers.set(.greet(pipe.taskClass), at: now + Self.greetInterval)
            publishWorker(pipe, "launched", detail: nil)
        case .exited:
            workerEnded(pipe, status: message.argument)
        case .launchFailed:
            pipe.worker = .absent
            pipe.processID = nil
            publishWorker(pipe, "launch_failed", detail: "errno \(message.argument)")
            assessHealth()
        case .shutdown:
            beginStop()
        case .launch, .kill, .status, .stop:
            log.error("the supervisor sent a message that is ours; ending")
            phase = .ended(1)
        }
    }

    /// A worker's sandbox is proven: it takes orders from now on.
    func welcome(_ pipe: ClassPipe) {
        pipe.worker = .ready
        pipe.since = now
        needsAdmission = true
        attempt("order") { () throws(ZeroMQError) in try pipe.write() }
        assessHealth()
        if TaskClass.allCases.allSatisfy({ self.pipe($0).isReady }) {
            log.notice("ready: all classes take orders")
        }
    }

    /// Pings a worker again that did not answer.
    func greetAgain(_ pipe: ClassPipe) {
        guard case .launched = pipe.worker else { return }
        attempt("ping") { () throws(ZeroMQError) in try pipe.ping() }
        timers.set(.greet(pipe.taskClass), at: now + Self.greetInterval)
        assessHealth()
    }

    private func workerEnded(_ pipe: ClassPipe, status: Int32) {
        if case .absent = pipe.worker { return }
        // What it reported before its end still counts.
        takeReports(of: pipe, limit: .max)
        pipe.worker = .absent
        pipe.processID = nil
        pipe.layers = []
        pipe.provenWays = nil
        pipe.since = now
        pipe.dropControlOrders()
        timers.set(.greet(pipe.taskClass), at: nil)
        timers.set(.canary(pipe.taskClass), at: nil)
        publishWorker(pipe, "exited", detail: "wait status \(status)")
        for attempt in attempts.values.sorted(by: { $0.key < $1.key })
        where attempt.run.taskClass == pipe.taskClass && attempt.isSent {
            let judgement =
                attempt.run.cancelled?.outcome ?? Outcome(.interrupted, .workerDied)
            conclude(attempt, Conclusion(judgement, message: "its worker ended under it"))
        }
        assessHealth()
    }

    /// Stops listening to a worker that broke a rule, and has it killed.
    func distrust(_ pipe: ClassPipe, _ why: String) {
        if case .distrusted = pipe.worker { return }
        pipe.worker = .distrusted(why)
        pipe.since = now
        log.error(
            "worker broke the protocol; it is killed",
            metadata: ["class": "\(pipe.taskClass.name)", "why": "\(why)"])
        audit("scheduler", "worker.violation", pipe.taskClass.name, why)
        supervisor.send(SupervisorMessage(kind: .kill, taskClass: pipe.taskClass))
        assessHealth()
    }

    /// Tells what became of a worker.
    func publishWorker(_ pipe: ClassPipe, _ state: String, detail: String?) {
        publish(
            .worker,
            [
                "class": .string(pipe.taskClass.name), "state": .string(state),
                "pid": .count(pipe.processID), "detail": .text(detail),
            ])
    }
}
