// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import BusClient
import Testing
import ZeroMQ

/// Messages that are no requests, from somebody with an admitted key.
@Suite(.serialized)
struct MalformedTests {
    private let run: SchedulerRun
    private let dealer: ZMQSocket

    init() throws {
        run = try SchedulerRun(try InstanceRoot())
        dealer = try Self.dealer(run.root.path)
    }

    private static func dealer(_ path: String) throws -> ZMQSocket {
        let file = try ClientKeyFile.read(path: "\(path)/var/lib/aico/keys/clients/admin.key")
        let dealer = try ZMQSocket(.dealer, in: ZMQContext())
        try dealer.useCurve(serverKey: file.serverKey, keys: file.keys)
        try dealer.connect("ipc://\(path)/run/aico/bus/bus.sock")
        return dealer
    }

    private func answer(_ frames: [[UInt8]]) throws -> BusReply {
        try dealer.send(frames, nonblocking: false)
        try #require(try dealer.wait(timeout: .seconds(10)))
        return try BusReply(frames: try #require(try dealer.receive()))
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let id: String
        let frames: [[UInt8]]
        let code: BusErrorCode
        var testDescription: String { id }

        init(
            _ id: String, topic: String = "scheduler.task.list", _ document: String,
            more: [String] = [], code: BusErrorCode = .malformed
        ) {
            self.id = id
            frames = ([topic, document] + more).map { Array($0.utf8) }
            self.code = code
        }
    }

    private static let deep = String(repeating: "[", count: 64)

    @Test(arguments: [
        Fault("no JSON", "list the tasks"), Fault("no object", "[]"),
        Fault("three frames", "{\"id\":\"a\",\"v\":1}", more: ["x"]),
        Fault("no id", "{\"v\":1}"), Fault("empty id", "{\"id\":\"\",\"v\":1}"),
        Fault("long id", "{\"id\":\"\(String(repeating: "a", count: 65))\",\"v\":1}"),
        Fault("no version", "{\"id\":\"a\"}"),
        Fault("other version", "{\"id\":\"a\",\"v\":2}", code: .unsupportedVersion),
        Fault("body no object", "{\"id\":\"a\",\"v\":1,\"body\":[]}"),
        Fault("member of ours", "{\"id\":\"a\",\"v\":1,\"role\":\"admin\"}"),
        Fault("double member", "{\"id\":\"a\",\"v\":1,\"id\":\"b\"}"),
        Fault("too deep", "{\"id\":\"a\",\"v\":1,\"body\":{\"x\":\(deep)"),
        Fault(
            "unknown topic", topic: "scheduler.task.lst", "{\"id\":\"a\",\"v\":1}",
            code: .unknownTopic),
        Fault("empty topic", topic: "", "{\"id\":\"a\",\"v\":1}", code: .unknownTopic),
        Fault(
            "long topic", topic: String(repeating: "t", count: 200), "{\"id\":\"a\",\"v\":1}"),
        Fault(
            "too large",
            "{\"id\":\"a\",\"v\":1,\"body\":{\"x\":\"\(String(repeating: "x", count: 300_000))\"}}",
            code: .tooLarge),
    ])
    func aMalformedMessageGetsAnErrorAndHarmsNothing(fault: Fault) throws {
        guard case .failure(let refusal) = try answer(fault.frames).outcome else {
            Issue.record("it was taken")
            return
        }
        #expect(refusal.code == fault.code.rawValue)
        #expect(!refusal.message.isEmpty)
        let good = BusRequest(id: "good", topic: BusTopic.taskList.rawValue)
        let reply = try answer(good.frames)
        #expect(reply.id == "good")
        #expect(throws: Never.self) { try reply.outcome.get() }
        #expect(try run.stop() == 0)
        let isAudited = try run.root.audit().contains { $0.action == "bus.malformed" }
        #expect(isAudited == (fault.code != .unknownTopic))
    }

    /// A refusal is short whatever it refuses, and says what it can read of the request: of what
    /// is no JSON that is its topic.
    @Test func whatCannotBeReadIsRefusedInAFewWordsUnderItsTopic() throws {
        let topic = BusTopic.taskList.rawValue
        let long = String(repeating: "\u{1}", count: 200_000)
        for document in ["", "list the tasks", "[1]", "{\"\(long)\":1,\"id\":\"a\"}", "\"\(long)"] {
            let reply = try answer([Array(topic.utf8), Array(document.utf8)])
            #expect(reply.id.isEmpty && reply.topic == topic)
            #expect(reply.frames.reduce(0) { $0 + $1.count } < 400, "\(reply)")
        }
        let readable = try answer([Array(topic.utf8), Array("{\"id\":\"a\",\"\(long)\":1}".utf8)])
        #expect(readable.frames.reduce(0) { $0 + $1.count } < 1000, "\(readable)")
        // A topic that is too long is not sent back.
        let reply = try answer([[UInt8](repeating: 0x74, count: 200), Array("{".utf8)])
        #expect(reply.id.isEmpty && reply.topic.isEmpty)
    }

    /// What it refuses so is bounded as what it serves is: it costs the others one request each.
    @Test func aFloodOfWhatCannotBeReadEndsItsConnectionAndNoOther() throws {
        let frames = [Array(BusTopic.taskList.rawValue.utf8), Array("no JSON".utf8)]
        for _ in 0..<100_000 {
            if try !dealer.send(frames) {
                guard try dealer.wait(for: .writable, timeout: .seconds(1)) else { break }
            }
        }
        #expect(try run.request(.taskList)["tasks"] != nil)
        #expect(try run.stop() == 0)
        let actions = Set(try run.root.audit().map(\.action))
        #expect(actions.isSuperset(of: ["bus.malformed", "bus.flood"]))
    }

    @Test func bytesThatAreNoTextAreRefused() throws {
        for frames: [[UInt8]] in [
            [[0xFF, 0xFE], Array("{\"id\":\"a\",\"v\":1}".utf8)],
            [Array("scheduler.task.list".utf8), [0xFF, 0xFE, 0x00]], [[]], [[], []],
        ] {
            guard case .failure(let refusal) = try answer(frames).outcome else {
                Issue.record("it was taken")
                continue
            }
            #expect(refusal.code == "malformed")
        }
    }

    @Test func aFrameBeyondAllBoundsClosesItsConnectionOnly() throws {
        let bytes = [UInt8](repeating: 0x20, count: (1 << 20) + 1)
        try dealer.send([Array("scheduler.task.list".utf8), bytes], nonblocking: false)
        #expect(try run.request(.taskList)["tasks"] != nil)
        let other = try Self.dealer(run.root.path)
        let good = BusRequest(id: "good", topic: BusTopic.taskList.rawValue)
        try other.send(good.frames, nonblocking: false)
        #expect(try other.wait(timeout: .seconds(10)))
        #expect(try dealer.receive() == nil)
    }
}
