// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import TaskKit
import Testing

struct ConfigTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let config: JSONValue
        let message: String
        var testDescription: String { message }
    }

    @Test func everyKindOfFieldIsRead() throws {
        let config = try SampleTask.Config.read([
            "count": 3, "share": 1, "mode": "wait", "name": "me", "quick": false,
            "words": ["x", "y"], "labels": ["k": "v"], "pause": 2,
        ])
        #expect(config.count == 3 && config.share == 1 && config.mode == "wait")
        #expect(config.name == "me" && !config.isQuick && config.words == ["x", "y"])
        #expect(config.labels == ["k": "v"] && config.pause == .seconds(2))
    }

    @Test func leftOutAndNullFieldsHaveTheirDefaults() throws {
        let config = try SampleTask.Config.read(["count": 1, "name": nil, "share": nil])
        #expect(config.share == 0.5 && config.mode == "plain" && config.name == nil)
        #expect(config.isQuick && config.words.isEmpty && config.labels == ["a": "b"])
        #expect(config.pause == .milliseconds(1500))
    }

    @Test(arguments: [
        Refusal(config: [], message: "cannot use the config: must be an object"),
        Refusal(
            config: [:],
            message: "cannot use \"count\": missing; must be a whole number of 1 to 10"),
        Refusal(
            config: ["count": 11],
            message: "cannot use \"count\": must be a whole number of 1 to 10"
        ),
        Refusal(
            config: ["count": 1.5],
            message: "cannot use \"count\": must be a whole number of 1 to 10"),
        Refusal(
            config: ["count": "1"],
            message: "cannot use \"count\": must be a whole number of 1 to 10"),
        Refusal(
            config: ["count": 1, "share": 1.01],
            message: "cannot use \"share\": must be a number of 0 to 1"),
        Refusal(
            config: ["count": 1, "mode": "other"],
            message: "cannot use \"mode\": must be one of plain, fail, wait"),
        Refusal(config: ["count": 1, "name": 5], message: "cannot use \"name\": must be a text"),
        Refusal(
            config: ["count": 1, "quick": 1], message: "cannot use \"quick\": must be true or false"
        ),
        Refusal(
            config: ["count": 1, "words": ["a", 1]],
            message: "cannot use \"words\": must be a list of texts"),
        Refusal(
            config: ["count": 1, "labels": ["a": 1]],
            message: "cannot use \"labels\": must be an object of texts"),
        Refusal(
            config: ["count": 1, "labls": [:]],
            message: "cannot use \"labls\": unknown field; did you mean \"labels\"?"),
        Refusal(config: ["count": 7], message: "cannot use \"count\": must not be 7"),
    ])
    func wrongConfigNamesItsField(_ refusal: Refusal) {
        let error = #expect(throws: ConfigError.self) {
            try SampleTask.Config.read(refusal.config)
        }
        #expect(error?.description == refusal.message)
    }

    @Test func unknownFieldWithoutNeighbourListsTheFields() {
        let error = #expect(throws: ConfigError.self) {
            try SampleTask.Config.read(["count": 1, "completely_other": 1])
        }
        #expect(error?.reason.contains("there are count, share, mode, name") == true)
        let none = #expect(throws: ConfigError.self) { try NoConfig.read(["a": 1]) }
        #expect(none?.reason == "unknown field; there are none")
    }

    @Test func fieldsAreFoundWithoutAConfig() {
        let fields = SampleTask.Config.fields
        #expect(
            fields.map(\.name)
                == ["count", "share", "mode", "name", "quick", "words", "labels", "pause"])
        #expect(fields.map(\.isRequired) == [true] + Array(repeating: false, count: 7))
        #expect(fields[0].minimum == 1 && fields[0].maximum == 10)
        #expect(fields[2].choices == ["plain", "fail", "wait"] && fields[6].kind == .stringMap)
    }
}
