// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import TaskKit

struct TypeDescriptionTests {
    @Test func descriptionIsWhatTheSchedulerReads() throws {
        let json = TypeDescription.json(class: .user, types: [SampleTask.self])
        #expect(json["class"] == "user")
        let type = try #require(json["types"]?.array?.first)
        #expect(type["id"] == "user.sample" && type["summary"] == "Does what a test needs")
        #expect(type["capabilities"] == ["DAC_READ_SEARCH"] && type["timeout"] == 300)
        #expect(
            type["config"]?.array?.first
                == [
                    "name": "count", "type": "integer", "required": true, "minimum": 1,
                    "maximum": 10, "summary": "How many",
                ])
        #expect(try JSONValue.parse(json.serialized()) == json)
    }
}
