// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@Suite struct JSONValueTests {
    @Test func everyKindIsRead() throws {
        let text = #" {"a":[null,true,false,-0,12,1.5,1e2,"x"],"b":{"c":{}}} "#
        #expect(
            try JSONValue.parse(text) == [
                "a": [nil, true, false, 0, 12, 1.5, .double(100), "x"],
                "b": ["c": [:]],
            ])
    }

    @Test func escapesAreRead() throws {
        #expect(
            try JSONValue.parse(#""\"\\\/\b\f\n\r\té🦉""#)
                == .string("\"\\/\u{8}\u{C}\n\r\té🦉"))
    }

    @Test func writtenValuesAreReadBackAndKeysAreSorted() throws {
        let value: JSONValue = [
            "z": [1, 2.5, .double(1e300)], "a": "tab\t\u{1}\u{7F}\"é🦉", "m": ["k": nil, "j": true],
        ]
        #expect(try JSONValue.parse(value.serialized()) == value)
        #expect(try JSONValue.parse(value.serialized(indented: true)) == value)
        #expect(
            value.text().hasPrefix(#"{"a":"tab\t\u0001\u007f\"é🦉","m":{"j":true,"k":null},"z""#))
    }

    @Test func integersThatFitStayExact() throws {
        #expect(try JSONValue.parse("9223372036854775807") == .int(.max))
        #expect(try JSONValue.parse("9223372036854775808") == .double(9223372036854775808))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "01", "1.", ".5", "1e", "+1",
        "--1", "nul", "true false", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"", "\"a\nb\"", "1e999", "[1 2]", "{\"a\":1,\"a\":2}", "NaN", "Infinity",
        "\u{FEFF}1",
        "{1:2}", "]", "[}",
    ])
    func isRefused(text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    }

    @Test func badUTF8IsRefused() {
        #expect(throws: JSONError(offset: 0, reason: "the string is not UTF-8")) {
            try JSONValue.parse([0x22, 0xC3, 0x28, 0x22])
        }
    }

    /// To hash or compare it would take the square of its length: 250 kB a minute.
    @Test(arguments: ["\u{301}\u{323}", "\u{F73}", "\u{20DD}\u{301}", "\\u0301\\u0323"])
    func longRunsOfCombiningMarksAreRefused(_ marks: String) throws {
        let run = "a" + String(repeating: marks, count: 60_000 / marks.utf8.count)
        let members = (0..<3000).map { "\"\($0)\":0" }.joined(separator: ",")
        for text in ["{\"\(run)\":0,\(members)}", "[\"\(run)\"]"] {
            let bytes = Array(text.utf8)
            let taken = ContinuousClock().measure {
                #expect(throws: JSONError.self) { try JSONValue.parse(bytes) }
            }
            #expect(taken < .seconds(1))
        }
        let refusal = #expect(throws: JSONError.self) { try JSONValue.parse("[\"\(run)\"]") }
        #expect(refusal?.reason == "more than 30 combining marks in a row")
    }

    /// Words of any language are within the bound.
    @Test func fewCombiningMarksAreRead() throws {
        let text = "Z\u{300}\u{301}\u{302} ก็ नमस्ते " + String(repeating: "e\u{301}", count: 5000)
        #expect(try JSONValue.parse("\"\(text)\"") == .string(text))
        let most = "a" + String(repeating: "\u{301}", count: 30)
        #expect(try JSONValue.parse("\"\(most)\"") == .string(most))
    }

    @Test func theDepthIsBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try JSONValue.parse(nested(32)) }
        #expect(throws: JSONError(offset: 32, reason: "nested deeper than 32")) {
            try JSONValue.parse(nested(33))
        }
        #expect(throws: JSONError.self) { try JSONValue.parse(nested(100_000)) }
    }

    @Test func theSizeIsBounded() {
        let text = [UInt8](repeating: 0x20, count: 11)
        #expect(throws: JSONError(offset: 0, reason: "has 11 bytes, limit 10")) {
            try JSONValue.parse(text, maximumBytes: 10)
        }
    }

    @Test func noiseIsRefusedOrReadAndNeverTraps() throws {
        var generator = SeededGenerator(seed: SeededGenerator.printedSeed("JSON noise"))
        let alphabet = Array(#"{}[]:,"\u0123dDeE+-.tfn alrsue"#.utf8) + [0xC3, 0xA9, 0xFF, 0]
        for _ in 0..<50_000 {
            let bytes = (0..<Int.random(in: 0...14, using: &generator)).map { _ in
                generator.pick(alphabet)
            }
            if let value = try? JSONValue.parse(bytes) {
                #expect(try JSONValue.parse(value.serialized()) == value)
            }
        }
    }
}
