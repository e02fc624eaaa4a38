// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import TaskKit

struct JSONEncodingTests {
    private struct Numbers: Encodable {
        var signed = Int64.min
        var wide = UInt64(7)
        var single = Float(0.5)
        var nothing: Int?
        var empty: [Int] = []
        var nested = [[1, 2], []]
    }

    private final class Parent: Encodable {
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encodeNil(forKey: .none)
            var list = container.nestedUnkeyedContainer(forKey: .list)
            try list.encode("a")
            var inner = list.nestedContainer(keyedBy: Key.self)
            try inner.encode(true, forKey: .list)
            #expect(list.count == 2)
        }
        enum Key: String, CodingKey { case none, list }
    }

    @Test func standardTypesBecomeTheirJSON() throws {
        #expect(
            try JSONValue(encoding: Numbers())
                == [
                    "signed": .int(.min), "wide": 7, "single": 0.5, "empty": [],
                    "nested": [[1, 2], []],
                ])
        #expect(try JSONValue(encoding: NoResult()) == [:])
        #expect(try JSONValue(encoding: [1: "x"]) == ["1": "x"])
        #expect(try JSONValue(encoding: Optional<Int>.none) == nil)
        let value: JSONValue = [1, 2.5, ["a": nil]]
        #expect(try JSONValue(encoding: value) == value)
    }

    @Test func containersInsideEachOtherKeepTheirOrder() throws {
        #expect(try JSONValue(encoding: Parent()) == ["none": nil, "list": ["a", ["list": true]]])
    }

    @Test func numberThatDoesNotFitIsRefused() {
        #expect(throws: EncodingError.self) { try JSONValue(encoding: ["big": UInt64.max]) }
    }
}
