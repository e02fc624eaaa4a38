// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoStore
import AicoWire
import BusServer
import Glibc
import Logging
import SchedulerCore
import ZeroMQ

extension Scheduler {
    /// Does what the core says, in order.
    func perform(_ actions: [Action]) {
        for action in actions {
            switch action {
            case .write(let token, let changes): writer.submit(changes, token: token)
            case .send(let worker, let order): send(order, to: worker)
            case .publish(let published):
                tellSupervisor(of: published)
                attempt("publish") { () throws(ZeroMQError) in
                    try bus.publish(published.topic, published.json)
                }
            case .reply(let id, let reply): answer(id, reply)
            case .launchWorker(let worker):
                supervisor.send(SupervisorMessage(kind: .launch, worker: UInt8(worker.number)))
            case .killWorker(let worker):
                supervisor.send(SupervisorMessage(kind: .kill, worker: UInt8(worker.number)))
            case .stopSystem: supervisor.send(SupervisorMessage(kind: .stop))
            case .log(let note): write(note)
            case .measured(let latency): metrics.count(latency: latency)
            case .end(let status): self.status = self.status ?? status
            }
        }
    }

    /// The supervisor tells who started the system when all classes take orders.
    private func tellSupervisor(of published: Published) {
        guard case .worker(let worker, let state, _, _) = published else { return }
        supervisor.send(
            SupervisorMessage(
                kind: .ready, worker: UInt8(worker.number), argument: state == "ready" ? 1 : 0))
    }

    private func send(_ order: Order, to worker: WorkerID) {
        let pipe = pipes[worker.number]
        do throws(ZeroMQError) {
            if try pipe.send(order) { return }
        } catch {
            log.error("socket call failed", metadata: ["call": "order", "error": "\(error)"])
            pipe.isFull = true
        }
        echoes.append(.unsent(worker, order))
    }

    private func write(_ note: Note) {
        var metadata: Logger.Metadata = [:]
        for (key, value) in note.facts { metadata[key] = "\(value)" }
        let level: Logger.Level =
            switch note.level {
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
        log.log(level: level, "\(note.message)", metadata: metadata)
    }

    /// Writes what is left and closes the store.
    func finish() {
        for id in requests.keys.sorted() {
            answer(id, .refused(Refusal(.unavailable, "the system is stopping")))
        }
        reader.close()
        writer.close()
        attempt("reply") { () throws(ZeroMQError) in try bus.flush() }
        // Whoever connects from now on hears at once that nobody is there.
        let layout = configuration.layout
        for path in [layout.busSocket, layout.healthSocket, layout.eventsSocket] { unlink(path) }
        log.notice("stopped")
    }
}
