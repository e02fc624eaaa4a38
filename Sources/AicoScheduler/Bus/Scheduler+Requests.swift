// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusServer
import Logging
import SchedulerCore
import ZeroMQ

/// A request that has not been answered.
struct PendingRequest: Sendable {
    let client: BusServer.Client
    /// The client's own id of it.
    let id: String
    /// As the client wrote it.
    let topic: String
}

extension Scheduler {
    /// Takes a request to its one reply.
    func handle(_ frames: [[UInt8]], from client: BusServer.Client) {
        let request: BusRequest
        do throws(BusMessageError) {
            request = try BusRequest(frames: frames)
        } catch {
            feed(
                .audit(
                    actor: client.name, action: "bus.malformed", subject: "",
                    detail: error.reason))
            let refusal = BusRefusal(code: error.code, message: error.reason)
            return send(
                .failure(refusal),
                to: PendingRequest(client: client, id: error.id, topic: error.topic))
        }
        let pending = PendingRequest(client: client, id: request.id, topic: request.topic)
        do throws(BusRefusal) {
            let topic = try topic(of: request, from: client)
            try answer(topic, request.body, pending)
        } catch {
            send(.failure(error), to: pending)
        }
    }

    func send(_ outcome: Result<JSONValue, BusRefusal>, to request: PendingRequest) {
        attempt("reply") { () throws(ZeroMQError) in
            try bus.send(
                BusReply(id: request.id, topic: request.topic, outcome: outcome),
                to: request.client)
        }
    }

    private func topic(
        of request: BusRequest, from client: BusServer.Client
    ) throws(BusRefusal) -> BusTopic {
        guard let topic = BusTopic(rawValue: request.topic) else {
            let nearest = NearestWord.find(request.topic, in: BusTopic.allCases.map(\.rawValue))
            throw BusRefusal(
                code: .unknownTopic, message: "unknown topic \"\(request.topic)\"",
                hint: nearest.map { "did you mean \($0)?" } ?? "see docs/wire-protocol.md")
        }
        guard client.role >= topic.role else {
            feed(
                .audit(
                    actor: client.name, action: "bus.not_permitted", subject: topic.rawValue,
                    detail: client.role.rawValue))
            throw BusRefusal(
                code: .notPermitted,
                message: "\(topic.rawValue) needs role \(topic.role.rawValue)"
                    + ", client \"\(client.name)\" is \(client.role.rawValue)",
                hint: "use a key with that role")
        }
        return topic
    }

    private func answer(
        _ topic: BusTopic, _ body: JSONValue, _ request: PendingRequest
    ) throws(BusRefusal) {
        switch topic {
        case .taskList: try listTasks(body, request)
        case .taskStatus: try status(body, request)
        case .taskCreate: change(.create(try newTask(body, from: request.client.name)), request)
        case .taskUpdate: change(.update(try updatedTask(body)), request)
        case .taskDelete: change(.delete(try taskID(body)), request)
        case .taskEnable: change(.setEnabled(try taskID(body), true), request)
        case .taskDisable: change(.setEnabled(try taskID(body), false), request)
        case .taskRun: change(.run(try taskID(body)), request)
        case .taskCancel: change(try cancellation(body), request)
        case .taskHistory: try history(body, request)
        case .taskLogs: try logs(body, request)
        case .taskNext: try nextRuns(body, request)
        case .stats: try stats(body, request)
        case .health: send(.success(try healthReport(body)), to: request)
        case .deadLetterList: try deadLetters(body, request)
        case .deadLetterRetry: try retryDeadLetter(body, request)
        case .deadLetterPurge: try purgeDeadLetters(body, request)
        case .supervisorStatus: send(.success(try systemStatus(body)), to: request)
        case .supervisorStop:
            _ = try ObjectReader(body, keys: [])
            change(.stopSystem, request)
        case .supervisorDrain, .supervisorReload:
            throw BusRefusal(
                code: .unknownTopic, message: "\(topic.rawValue) is not served yet",
                hint: "use supervisor.stop")
        }
    }

    /// Hands a change to the core, which answers once it is written.
    func change(_ change: Request, _ request: PendingRequest) {
        lastRequest += 1
        requests[lastRequest] = request
        feed(.request(lastRequest, actor: request.client.name, change))
    }

    /// Sends the core's reply.
    func answer(_ id: RequestID, _ reply: Reply) {
        guard let request = requests.removeValue(forKey: id) else { return }
        send(document(of: reply), to: request)
    }

    private func document(of reply: Reply) -> Result<JSONValue, BusRefusal> {
        switch reply {
        case .task(let key, let retrying):
            guard let task = core.task(key) else {
                return .failure(BusRefusal(code: .notFound, message: "the task is gone again"))
            }
            return .success([
                "task": view(of: task), "retrying": .int(retrying),
                "warning": .text(warning(of: task)),
            ])
        case .deleted(let id, let ending):
            return .success([
                "deleted": .string(id.text), "ending": .array(ending.map { .string($0) }),
            ])
        case .execution(let id, let task, let waits):
            return .success([
                "execution": .string(id), "task": .string(task.text),
                "state": .string(waits == nil ? "running" : "queued"),
                "reason": .text(waits?.reason.rawValue), "detail": .text(waits?.detail),
                "since": .instant(waits?.since),
            ])
        case .cancelled(let ids, let ending):
            return .success([
                "cancelled": .array(ids.map { .string($0) }),
                "waiting": .array(
                    ending.map {
                        ["execution": .string($0.execution), "until": .instant($0.until)]
                    }),
            ])
        case .purged(let count): return .success(["purged": .int(count)])
        case .stopping: return .success(["stopping": true])
        case .refused(let refusal):
            return .failure(
                BusRefusal(
                    code: refusal.code.rawValue, message: refusal.message, hint: refusal.hint))
        }
    }

    /// What keeps a task of its class from running now, as health has it.
    private func warning(of task: TaskState) -> String? {
        core.health.lack(of: task.id.taskClass).map {
            "class \(task.id.taskClass.name): \($0); see aico scheduler health"
        }
    }

    // MARK: - What several requests read

    /// The id of a request that says nothing but a task that is there.
    private func taskID(_ body: JSONValue) throws(BusRefusal) -> TaskID {
        try task(try ObjectReader(body, keys: ["task"])).id
    }

    /// Finds the task that a request names.
    func task(_ reader: ObjectReader) throws(BusRefusal) -> TaskState {
        guard let id = try reader.taskID("task") else {
            throw BusRefusal(code: .invalid, message: "\"task\" is missing", hint: "name the task")
        }
        guard let task = core.tasks[id] else { throw unknown(id) }
        return task
    }

    func unknown(_ id: TaskID) -> BusRefusal {
        BusRefusal(
            code: .notFound, message: "there is no task \"\(id)\"",
            hint: nearest(id).map { "did you mean \($0)?" } ?? "type: aico scheduler list")
    }

    /// The most like one of the names that stand near an id: a bounded slice of many.
    private func nearest(_ id: TaskID) -> String? {
        NearestWord.find(id.text, in: core.taskIDs.near(id, within: 64).map(\.text))
    }

    /// The live execution that an id, or the beginning of one, names.
    func liveExecution(_ text: String) throws(BusRefusal) -> Execution? {
        let id = text.lowercased()
        if let exact = core.executions[id] { return exact }
        guard ExecutionName.isPrefix(id), core.executions.count <= ExecutionName.searched else {
            return nil
        }
        let found = core.executions.values.filter { $0.id.hasPrefix(id) }
        guard found.count < 2 else { throw ExecutionName.ambiguous(text) }
        return found.first
    }
}

/// How executions are named on the bus: whole, or by the first digits.
enum ExecutionName {
    /// Of more live ones only whole ids are looked for.
    static let searched = 10_000

    /// Whether a text can be the beginning of an id: at least four characters of one.
    static func isPrefix(_ text: String) -> Bool {
        (4...36).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || $0 == 0x2D
            }
    }

    static func ambiguous(_ text: String) -> BusRefusal {
        BusRefusal(
            code: .conflict, message: "several executions begin with \"\(text.prefix(64))\"",
            hint: "give more digits; type: aico scheduler history --json")
    }

    static func unknown(_ text: String) -> BusRefusal {
        BusRefusal(
            code: .notFound, message: "there is no execution \"\(text.prefix(64))\"",
            hint: "type: aico scheduler history")
    }
}
