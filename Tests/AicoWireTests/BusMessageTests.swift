// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@Suite struct BusMessageTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func requestsSurviveTheRoundTrip() throws {
        let request = BusRequest(
            id: "r1", topic: BusTopic.taskRun.rawValue, body: ["task": "user.photos"])
        #expect(try BusRequest(frames: request.frames) == request)
    }

    @Test func repliesSurviveTheRoundTrip() throws {
        for outcome in [
            Result<JSONValue, BusRefusal>.success(["n": 1]),
            .failure(BusRefusal(code: .notFound, message: "no such task", hint: "list them")),
        ] {
            let reply = BusReply(id: "r1", topic: "scheduler.stats", outcome: outcome)
            #expect(try BusReply(frames: reply.frames) == reply)
        }
    }

    @Test func eventsSurviveTheRoundTrip() throws {
        let event = BusEvent(topic: BusEventTopic.health.rawValue, sequence: 9, data: ["a": 1])
        #expect(try BusEvent(frames: event.frames) == event)
        #expect(event.subscribedPrefix == nil)
        let notice = BusEvent.subscribed(prefix: "scheduler.event.", sequence: 0)
        #expect(try BusEvent(frames: notice.frames).subscribedPrefix == "scheduler.event.")
    }

    /// What a task prints reaches its reader whatever it is; what a client asks does not.
    @Test func onlyWhatQuotesATaskHasLongRunsOfMarks() throws {
        let line = "a" + String(repeating: "\u{301}", count: 1000)
        let event = BusEvent(
            topic: BusEventTopic.health.rawValue, sequence: 1, data: ["l": .string(line)])
        #expect(try BusEvent(frames: event.frames).data["l"]?.string?.utf8.count == line.utf8.count)
        let reply = BusReply(
            id: "1", topic: "scheduler.stats", outcome: .success(["l": .string(line)]))
        guard case .success(let data) = try BusReply(frames: reply.frames).outcome else {
            Issue.record("the reply is no success")
            return
        }
        #expect(data["l"]?.string?.utf8.count == line.utf8.count)
        let request = BusRequest(id: "1", topic: "scheduler.stats", body: ["l": .string(line)])
        #expect(throws: BusMessageError.self) { try BusRequest(frames: request.frames) }
    }

    @Test(arguments: [Int.max, -1, Int.min])
    func eventOfAWrongCountIsRefused(sequence: Int) throws {
        let event = BusEvent(
            topic: BusEventTopic.health.rawValue, sequence: sequence, data: ["a": 1])
        let error = #expect(throws: BusMessageError.self) {
            try BusEvent(frames: event.frames)
        }
        #expect(error?.code == .malformed && error?.reason == "\"seq\" counts no events")
        let last = BusEvent(
            topic: BusEventTopic.health.rawValue, sequence: Int.max - 1, data: ["a": 1])
        #expect(try BusEvent(frames: last.frames) == last)
    }

    struct Refusal: CustomTestStringConvertible, Sendable {
        let name: String
        let document: String
        let code: BusErrorCode
        let id: String
        var testDescription: String { name }
    }

    @Test(arguments: [
        Refusal(name: "no JSON", document: "hello", code: .malformed, id: ""),
        Refusal(name: "no object", document: "[]", code: .malformed, id: ""),
        Refusal(name: "no id", document: #"{"v":1}"#, code: .malformed, id: ""),
        Refusal(name: "empty id", document: #"{"id":"","v":1}"#, code: .malformed, id: ""),
        Refusal(name: "no version", document: #"{"id":"a"}"#, code: .malformed, id: "a"),
        Refusal(
            name: "another version", document: #"{"id":"a","v":2}"#, code: .unsupportedVersion,
            id: "a"),
        Refusal(
            name: "body is no object", document: #"{"id":"a","v":1,"body":[]}"#, code: .malformed,
            id: "a"),
        Refusal(
            name: "unknown member", document: #"{"id":"a","v":1,"x":0}"#, code: .malformed, id: "a"),
    ])
    func requestIsRefused(refusal: Refusal) {
        let error = #expect(throws: BusMessageError.self) {
            try BusRequest(frames: [Self.bytes("scheduler.stats"), Self.bytes(refusal.document)])
        }
        #expect(error?.code == refusal.code)
        #expect(error?.id == refusal.id)
    }

    @Test func anotherNumberOfFramesIsRefused() {
        let frames = BusRequest(id: "a", topic: "scheduler.stats").frames
        for count in [0, 1, 3] {
            #expect(throws: BusMessageError.self) {
                try BusRequest(frames: Array((frames + [[]]).prefix(count)))
            }
        }
    }

    @Test func anOversizedRequestIsRefusedByName() {
        let text = String(repeating: "x", count: BusLimits.maximumRequestBytes)
        let error = #expect(throws: BusMessageError.self) {
            try BusRequest(
                frames: BusRequest(id: "a", topic: "t", body: ["x": .string(text)]).frames)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test func onlySubscriptionsToEventsAreAnnounced() {
        func frame(_ kind: UInt8, _ text: String) -> [[UInt8]] { [[kind] + Self.bytes(text)] }
        #expect(BusEvent.subscription(frame(1, "scheduler.event.he")) == "scheduler.event.he")
        #expect(BusEvent.subscription(frame(0, "scheduler.event.he")) == nil)
        #expect(BusEvent.subscription(frame(1, "scheduler.task.run")) == nil)
        #expect(BusEvent.subscription([]) == nil)
        #expect(BusEvent.subscription([[]]) == nil)
        let long = BusEventTopic.prefix + String(repeating: "x", count: 200)
        #expect(BusEvent.subscription(frame(1, long)) == nil)
    }

    @Test func readersNeverChangeAnything() {
        let reads = BusTopic.allCases.filter { $0.role == .viewer }.map(\.rawValue)
        #expect(
            reads.allSatisfy { topic in
                ["status", "list", "history", "logs", "next", "stats", "health"].contains {
                    topic.hasSuffix($0)
                }
            })
        #expect(BusRole.viewer < .operator && BusRole.operator < .admin)
    }
}
