// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoScheduler
import AicoWire
import BusClient
import Foundation
import Glibc
import Logging
import SchedulerCore
import Synchronization
import Testing

/// A scheduler on a thread of its own; the test is its supervisor.
final class SchedulerRun {
    let root: InstanceRoot
    let client: BusClient
    private let channel: Int32
    private let ended = DispatchSemaphore(value: 0)
    private let status: Status
    private var isOver = false

    private final class Status: Sendable {
        let value = Mutex<Result<Int32, Failure>?>(nil)
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Starts a scheduler and launches, as supervisor, the classes it asks for.
    ///
    /// `adjust` shortens what a test would wait for.
    init(
        _ root: InstanceRoot, monitor: any ResourceMonitor & Sendable = FixedLoad(nil),
        launching: Bool = true, adjust: @escaping @Sendable (inout CoreSettings) -> Void = { _ in }
    ) throws {
        self.root = root
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
        channel = ends[0]
        let theirs = ends[1]
        let status = Status()
        self.status = status
        let ended = ended
        let ready = DispatchSemaphore(value: 0)
        let path = root.path
        let descriptions = root.descriptions
        let thread = Thread {
            let result: Result<Int32, Failure>
            do {
                var log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                if getenv("AICO_TEST_LOG") != nil {
                    log = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
                    log.logLevel = .debug
                }
                let scheduler = try Scheduler(
                    configuration: try Configuration.load(root: path), channel: theirs,
                    monitor: monitor, log: log, adjust: adjust)
                scheduler.discover(descriptions)
                ready.signal()
                result = .success(try scheduler.run())
            } catch {
                result = .failure(Failure(description: "\(error)"))
                ready.signal()
            }
            status.value.withLock { $0 = result }
            ended.signal()
        }
        thread.stackSize = 8 << 20
        thread.start()
        ready.wait()
        if let early = status.value.withLock({ $0 }) { _ = try early.get() }
        client = try BusClient.load(root: path)
        if launching {
            for _ in try Configuration.load(root: path).workers {
                let asked = try receive()
                try #require(asked.kind == .launch)
                send(.launched, number: asked.worker, processID: 1000)
            }
        }
    }

    deinit {
        // Nothing of a test's end is worth waiting for what still runs.
        if !isOver {
            shutdown(channel, Int32(SHUT_RDWR))
            _ = try? wait()
        }
        close(channel)
    }

    func send(
        _ kind: SupervisorMessage.Kind, _ worker: WorkerID = .maintenance, number: UInt8? = nil,
        argument: Int32 = 0, processID: UInt64 = 0, words: [UInt8] = []
    ) {
        let bytes = SupervisorMessage(
            kind: kind, worker: number ?? UInt8(worker.number), argument: argument,
            processID: processID,
            words: words
        ).encoded()
        _ = Glibc.send(channel, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// The next message that the scheduler sends to its supervisor, but for what it tells of workers
    /// that take orders or no longer do.
    func receive(within seconds: Int32 = 10) throws -> SupervisorMessage {
        while true {
            let message = try receiveAny(within: seconds)
            if message.kind != .ready { return message }
        }
    }

    /// The next message that the scheduler sends to its supervisor.
    func receiveAny(within seconds: Int32 = 10) throws -> SupervisorMessage {
        var item = pollfd(fd: channel, events: Int16(POLLIN), revents: 0)
        try #require(poll(&item, 1, seconds * 1000) == 1)
        var bytes = [UInt8](repeating: 0, count: SupervisorMessage.size + 1)
        let count = recv(channel, &bytes, bytes.count, 0)
        return try #require(SupervisorMessage(decoding: Array(bytes.prefix(max(0, count)))))
    }

    /// Starts a worker, and returns once it takes orders.
    func worker(
        _ workerID: WorkerID, capacity: UInt32 = 64, wallLimit: Duration? = nil
    ) throws -> ScriptedWorker {
        let worker = try ScriptedWorker(
            workerID, root: root.path, capacity: capacity, wallLimit: wallLimit)
        try worker.connect()
        try waitUntilRunning(worker, of: workerID)
        return worker
    }

    /// Answers what a worker is asked until it takes orders.
    func waitUntilRunning(_ worker: ScriptedWorker, of workerID: WorkerID) throws {
        // Its answer and our requests come by different sockets: ask until the answer is in.
        for _ in 0..<10_000 {
            try worker.answerPings()
            let workers = try request(.health)["workers"]?.array ?? []
            if workers.contains(where: {
                $0["name"] == .string(workerID.name) && $0["state"] == "running"
            }) {
                return
            }
        }
        throw Failure(description: "the worker is not heard")
    }

    func request(_ topic: BusTopic, _ body: JSONValue = [:]) throws -> JSONValue {
        try client.request(topic: topic, body: body)
    }

    /// Makes a user.command task that never fires by itself.
    @discardableResult
    func createCommand(
        _ id: String = "user.one", schedule: String = "at:2099-01-01T00:00:00Z",
        policies: JSONValue = [:]
    ) throws -> JSONValue {
        try request(
            .taskCreate,
            [
                "id": .string(id), "schedule": .string(schedule),
                "config": ["argv": ["/bin/true"]], "policies": policies,
            ])
    }

    /// Waits for an event of a topic.
    func event(_ topic: BusEventTopic, from client: BusClient? = nil) throws -> JSONValue {
        while true {
            let event = try #require(
                try (client ?? self.client).nextEvent(timeout: .seconds(10)),
                "no event \(topic.rawValue)")
            if event.topic == topic.rawValue { return event.data }
        }
    }

    /// Tells it to finish and gives its exit status.
    func stop() throws -> Int32 {
        send(.shutdown)
        return try wait()
    }

    /// Goes away as a supervisor that is killed does: what runs stays written as running.
    func abandon() throws {
        shutdown(channel, Int32(SHUT_RDWR))
        #expect(try wait() == 1)
    }

    func wait() throws -> Int32 {
        isOver = true
        ended.wait()
        return try #require(try status.value.withLock { $0 }?.get())
    }
}

/// A machine that is always as busy; nil where it cannot be told.
final class FixedLoad: ResourceMonitor, Sendable {
    private let fixed: MachineLoad

    init(_ load: Admission.Load?) { fixed = load.map { .known($0) } ?? .unknowable }

    func load(at now: Duration) -> MachineLoad { fixed }
}

/// A machine that is as busy as the test says.
final class ChangingLoad: ResourceMonitor, Sendable {
    private let value: Mutex<Admission.Load>

    init(cpu: Double, memory: Double) {
        value = Mutex(Admission.Load(cpu: cpu, memory: memory))
    }

    func set(cpu: Double, memory: Double) {
        value.withLock { $0 = Admission.Load(cpu: cpu, memory: memory) }
    }

    func load(at now: Duration) -> MachineLoad { .known(value.withLock { $0 }) }
}
