// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import Logging
import ZeroMQ

/// One request on its way to its reply.
struct Inquiry {
    let client: BusServer.Client
    let topic: BusTopic
    let body: JSONValue
    /// Sends the reply; to be called once.
    let reply: (Result<JSONValue, BusRefusal>) -> Void
}

extension Scheduler {
    /// Takes and answers requests.
    func takeRequests() {
        attempt("receive request") { () throws(ZeroMQError) in
            for _ in 0..<Self.requestsPerTurn {
                guard let (client, frames) = try bus.receive() else { return }
                take(frames, from: client)
            }
        }
    }

    private func take(_ frames: [[UInt8]], from client: BusServer.Client) {
        let request: BusRequest
        do throws(BusMessageError) {
            request = try BusRequest(frames: frames)
        } catch {
            audit(client.name, "bus.malformed", "", error.reason)
            send(
                BusReply(
                    id: error.id, topic: "",
                    outcome: .failure(BusRefusal(code: error.code, message: error.reason))),
                to: client)
            return
        }
        let reply: (Result<JSONValue, BusRefusal>) -> Void = { [self] outcome in
            send(BusReply(id: request.id, topic: request.topic, outcome: outcome), to: client)
        }
        do throws(BusRefusal) {
            let topic = try topic(of: request, from: client)
            try answer(
                Inquiry(client: client, topic: topic, body: request.body, reply: reply))
        } catch {
            reply(.failure(error))
        }
    }

    private func send(_ reply: BusReply, to client: BusServer.Client) {
        attempt("reply") { () throws(ZeroMQError) in try bus.send(reply, to: client) }
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
            audit(client.name, "bus.not_permitted", topic.rawValue, client.role.rawValue)
            throw BusRefusal(
                code: .notPermitted,
                message: "\(topic.rawValue) needs role \(topic.role.rawValue)"
                    + ", client \"\(client.name)\" is \(client.role.rawValue)",
                hint: "use a key with that role")
        }
        return topic
    }

    private func answer(_ inquiry: Inquiry) throws(BusRefusal) {
        switch inquiry.topic {
        case .taskList: inquiry.reply(.success(try listTasks(inquiry.body)))
        case .taskStatus: inquiry.reply(.success(try status(inquiry.body)))
        case .taskCreate: try createTask(inquiry)
        case .taskUpdate: try updateTask(inquiry)
        case .taskDelete: try deleteTask(inquiry)
        case .taskEnable: try setEnabled(true, inquiry)
        case .taskDisable: try setEnabled(false, inquiry)
        case .taskRun: try runTask(inquiry)
        case .taskCancel: try cancelTask(inquiry)
        case .taskHistory: inquiry.reply(.success(try history(inquiry.body)))
        case .taskLogs: inquiry.reply(.success(try logs(inquiry.body)))
        case .taskNext: inquiry.reply(.success(try nextRuns(inquiry.body)))
        case .stats: inquiry.reply(.success(try stats(inquiry.body)))
        case .health: inquiry.reply(.success(try healthReport(inquiry.body)))
        case .deadLetterList: inquiry.reply(.success(try deadLetters(inquiry.body)))
        case .deadLetterRetry: try retryDeadLetter(inquiry)
        case .deadLetterPurge: try purgeDeadLetters(inquiry)
        case .supervisorStatus: inquiry.reply(.success(try systemStatus(inquiry.body)))
        case .supervisorStop: try stopSystem(inquiry)
        case .supervisorDrain, .supervisorReload:
            throw BusRefusal(
                code: .unknownTopic, message: "\(inquiry.topic.rawValue) is not served yet",
                hint: "use supervisor.stop")
        }
    }

    /// Finds the task that a request names.
    func entry(_ reader: ObjectReader) throws(BusRefusal) -> TaskEntry {
        guard let id = try reader.taskID("task") else {
            throw BusRefusal(code: .invalid, message: "\"task\" is missing", hint: "name the task")
        }
        guard let entry = tasks[id] else {
            let nearest = NearestWord.find(id.text, in: tasks.keys.map(\.text).sorted())
            throw BusRefusal(
                code: .notFound, message: "there is no task \"\(id)\"",
                hint: nearest.map { "did you mean \($0)?" } ?? "type: aico scheduler list")
        }
        return entry
    }

    /// Runs a read of the store; a failure becomes a refusal.
    func reading<Value>(
        _ body: () throws(StoreError) -> Value
    ) throws(BusRefusal) -> Value {
        do throws(StoreError) {
            return try body()
        } catch {
            log.error("store did not answer", metadata: ["error": "\(error)"])
            throw BusRefusal(
                code: error.mayPass ? .unavailable : .internal, message: error.description)
        }
    }

    /// Answers once what the turn wrote is on the disk.
    func replyWhenWritten(
        _ inquiry: Inquiry, _ data: @escaping () -> Result<JSONValue, BusRefusal>
    ) {
        journal.whenWritten { inquiry.reply(data()) }
    }
}
