// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

/// What the supervisor is given of its workers, and gives on.
@Suite struct WorkerListTests {
    @Test(arguments: [[], ["a-user"], ["acme-worker-agency", "b-user", "c-security"]])
    func aListSurvivesTheRoundTrip(names: [String]) throws {
        let workers = try WorkerID.list(beside: names)
        #expect(WorkerListCodec.decode(WorkerListCodec.encode(workers)) == workers)
    }

    @Test func whateverIsNoListIsRefused() throws {
        let bytes = WorkerListCodec.encode(try WorkerID.list(beside: ["a-user", "b-user"]))
        for count in 1..<bytes.count where count != 7 {
            #expect(WorkerListCodec.decode(Array(bytes[..<count])) == nil, "\(count) bytes")
        }
        for name in ["aico-worker-user", "a/b-user", "a-root", "a-user\u{0}", ""] {
            let text = Array(name.utf8)
            #expect(WorkerListCodec.decode([UInt8(text.count)] + text) == nil, "\(name)")
        }
        #expect(WorkerListCodec.decode(bytes + bytes) == nil, "each twice")
    }

    private static let descriptions: [WorkerDescription] = [
        .text(Array("{}".utf8)), .failed("ended with exit code 3"), .text([]), .failed(""),
    ]

    @Test func descriptionsSurviveTheRoundTrip() {
        let bytes = WorkerDescription.encode(Self.descriptions)
        #expect(WorkerDescription.decode(bytes) == Self.descriptions)
        #expect(WorkerDescription.decode([]) == [])
    }

    @Test func whateverIsNoDescriptionIsRefused() {
        let bytes = WorkerDescription.encode([Self.descriptions[1]])
        for count in 1..<bytes.count {
            #expect(WorkerDescription.decode(Array(bytes[..<count])) == nil, "\(count) bytes")
        }
        #expect(WorkerDescription.decode([2] + bytes.dropFirst()) == nil)
        let long = [UInt8](repeating: 0, count: WorkerDescription.maximumBytes + 1)
        #expect(WorkerDescription.decode(WorkerDescription.encode([.text(long)])) == nil)
    }
}
