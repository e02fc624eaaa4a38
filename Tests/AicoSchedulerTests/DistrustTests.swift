// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusClient
import Testing

/// Workers that break a rule: not heard any more, killed, their attempts ended with them.
@Suite(.serialized)
struct DistrustTests {
    /// What a worker does wrong while it runs `order`; `other` is another class's attempt.
    enum Violation: String, Sendable, CaseIterable {
        case garbage
        case emptyFrame
        case twoFrames
        case longer
        case gap
        case repetition
        case anotherClass
        case unknownAttempt
        case reportAfterTheEnd

        func commit(_ worker: ScriptedWorker, _ order: AttemptOrder, other: AttemptOrder) throws {
            let pong = ReportCodec.encode(.pong(nonce: 1))
            func progress(_ key: AttemptKey, _ sequence: UInt32) -> Report {
                .progress(attempt: key, sequence: sequence, fraction: 0.5, message: "")
            }
            switch self {
            case .garbage: try worker.send([1, 2, 3, 255])
            case .emptyFrame: try worker.send([])
            case .twoFrames: try worker.send(pong, pong)
            case .longer: try worker.send(pong + [0])
            case .gap: try worker.report(progress(order.attempt, 2))
            case .repetition: try worker.report(progress(order.attempt, 0))
            case .anotherClass: try worker.report(progress(other.attempt, 0))
            case .unknownAttempt: try worker.report(progress(AttemptKey(999), 0))
            case .reportAfterTheEnd:
                try worker.finish(order)
                try worker.finish(order, sequence: 2)
            }
        }
    }

    @Test(arguments: Violation.allCases)
    func aWorkerThatBreaksARuleIsKilledAndItsAttemptsAreInterrupted(
        violation: Violation
    ) throws {
        let run = try SchedulerRun(try InstanceRoot())
        let worker = try run.worker(.user)
        let honest = try run.worker(.maintenance)
        try run.createCommand()
        try run.createCommand("user.two")
        try run.client.subscribe()
        _ = try run.request(.taskRun, ["task": "maintenance.health_check"])
        let other = try honest.nextRun()
        _ = try run.request(.taskRun, ["task": "user.one"])
        let order = try worker.nextRun()
        try worker.start(order)
        _ = try run.request(.taskRun, ["task": "user.two"])
        let second = try worker.nextRun()
        try violation.commit(worker, order, other: other)
        let message = try run.receive()
        #expect(message.kind == .kill)
        #expect(message.worker == 3)
        // What it says from here on does not count.
        try worker.finish(second, sequence: 0)
        let health = try run.request(.health)
        #expect(health["status"] == "critical")
        let check = health["checks"]?.array?.first { $0["name"] == "worker.user" }
        #expect(check?["status"] == "critical")
        #expect(check?["message"]?.string?.isEmpty == false)
        run.send(.exited, .user, argument: 9)
        var ended = [
            try run.event(.executionFinished), try run.event(.executionFinished),
        ]
        if violation == .reportAfterTheEnd {
            #expect(ended.removeFirst()["outcome"] == "succeeded")
        } else {
            #expect(ended[0]["execution"] == .string(order.executionID))
        }
        for event in ended {
            #expect(event["outcome"] == "interrupted")
            #expect(event["reason"] == "worker_died")
        }
        #expect(ended.last?["execution"] == .string(second.executionID))
        // The other class goes on.
        try honest.finish(other, sequence: 0)
        #expect(
            try run.event(.executionFinished)["execution"] == .string(other.executionID))
        #expect(try run.stop() == 0)
        let entry = try run.root.audit().first { $0.action == "worker.violation" }
        #expect(entry?.subject == "user")
        #expect(entry?.detail.isEmpty == false)
    }

    /// What a worker does to the scheduler's memory.
    enum Flood: String, Sendable, CaseIterable {
        case reportWithoutEnd
        case reportWithoutEndToTheOrders
        case connectionsToTheReports
        case connectionsToTheOrders

        func commit(_ worker: ScriptedWorker) throws {
            switch self {
            case .reportWithoutEnd: try Self.send(worker.path("reports"), as: "PUSH")
            case .reportWithoutEndToTheOrders: try Self.send(worker.path("orders"), as: "PULL")
            case .connectionsToTheReports: try Self.connect(worker.path("reports"))
            case .connectionsToTheOrders: try Self.connect(worker.path("orders"))
            }
        }

        private static func send(_ path: String, as type: String) throws {
            let peer = try RawPeer(path)
            try peer.shakeHands(as: type)
            let most = 100 << 20
            #expect(peer.sendWithoutEnd(most: most) < most)
        }

        private static func connect(_ path: String) throws {
            for _ in 0..<8 { _ = try RawPeer(path) }
        }

        var words: String {
            switch self {
            case .reportWithoutEnd: "bytes to its reports that nobody could take"
            case .reportWithoutEndToTheOrders: "bytes to its orders that nobody could take"
            case .connectionsToTheReports: "connected to its reports"
            case .connectionsToTheOrders: "connected to its orders"
            }
        }
    }

    @Test(arguments: Flood.allCases)
    func aWorkerThatFloodsItsPipeIsKilledBeforeMemoryIsFull(flood: Flood) throws {
        let run = try SchedulerRun(try InstanceRoot())
        var worker: ScriptedWorker? = try run.worker(.user)
        let honest = try run.worker(.maintenance)
        try flood.commit(try #require(worker))
        let message = try run.receive()
        #expect(message.kind == .kill)
        #expect(message.worker == 3)
        let health = try run.request(.health)
        let check = health["checks"]?.array?.first { $0["name"] == "worker.user" }
        #expect(check?["message"]?.string?.contains(flood.words) == true, "\(health.text())")
        worker = nil
        // The other class goes on, and so does this one with another worker.
        _ = try run.request(.taskRun, ["task": "maintenance.health_check"])
        try honest.finish(try honest.nextRun(), sequence: 0)
        run.send(.exited, .user, argument: 9)
        run.send(.launched, .user, processID: 2000)
        _ = try run.worker(.user)
        #expect(try run.stop() == 0)
    }

    /// As much as a worker can have waiting is no flood.
    @Test func aWorkerMaySendALongRowOfLongReports() throws {
        let run = try SchedulerRun(try InstanceRoot())
        let worker = try run.worker(.user)
        try run.createCommand()
        try run.client.subscribe()
        _ = try run.request(.taskRun, ["task": "user.one"])
        let order = try worker.nextRun()
        try worker.start(order)
        let line = String(repeating: "x", count: WireLimits.maximumStringBytes)
        // Twice the bound of what may wait.
        for number in 0..<1000 as Range<UInt32> {
            try worker.log(order, sequence: 1 + number, line)
        }
        try worker.finish(order, sequence: 1001)
        #expect(try run.event(.executionFinished)["outcome"] == "succeeded")
        #expect(try run.stop() == 0)
    }

    @Test func aWorkerThatDiedIsReplacedAndItsAttemptRerun() throws {
        let run = try SchedulerRun(try InstanceRoot())
        var worker: ScriptedWorker? = try run.worker(.user)
        try run.createCommand(policies: ["on_crash": "rerun"])
        try run.client.subscribe()
        _ = try run.request(.taskRun, ["task": "user.one"])
        let first = try #require(try worker?.nextRun())
        worker = nil
        run.send(.exited, .user, argument: 9)
        let exited = try run.event(.worker)
        #expect(exited["class"] == "user")
        #expect(exited["state"] == "exited")
        #expect(exited["detail"] == "was ended by signal 9")
        #expect(try run.event(.executionRetry)["outcome"] == "interrupted")
        run.send(.launched, .user, processID: 2000)
        #expect(
            try run.event(.worker) == [
                "class": "user", "worker": "aico-worker-user", "state": "launched", "pid": 2000,
                "detail": nil,
            ])
        let again = try run.worker(.user)
        let second = try again.nextRun()
        #expect(second.executionID == first.executionID)
        #expect(second.occurrence == first.occurrence)
        #expect(second.attemptNumber == 2)
        #expect(second.attempt != first.attempt)
    }

    @Test func aWorkerThatCannotBeLaunchedIsTold() throws {
        let run = try SchedulerRun(try InstanceRoot(), launching: false)
        try run.client.subscribe()
        run.send(.launchFailed, .agency, argument: 13)
        #expect(
            try run.event(.worker) == [
                "class": "agency", "worker": "aico-worker-agency", "state": "launch_failed",
                "pid": nil, "detail": "errno 13",
            ])
    }

    @Test func aMessageThatIsNotTheSupervisorsEndsTheScheduler() throws {
        let run = try SchedulerRun(try InstanceRoot())
        run.send(.launch, .user)
        #expect(try run.wait() == 1)
    }
}
