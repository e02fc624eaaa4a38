// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import ArgumentParser
import Foundation
import Testing

@testable import AicoCommands

/// Every parameter of the policies can be typed, is refused out of range, and is documented.
struct PolicyOptionTests {
    private func typed(_ parameter: PolicyParameter) -> (words: [String], value: JSONValue) {
        let option = "--\(parameter.option)"
        switch parameter.kind {
        case .span(let range):
            return ([option, "\(Int(range.upperBound))"], .int(Int(range.upperBound)))
        case .number(let range):
            return ([option, "\(range.upperBound)"], .double(range.upperBound))
        case .integer(let range): return ([option, "\(range.lowerBound)"], .int(range.lowerBound))
        case .flag: return ([option], true)
        case .word(let words):
            return ([option, words.last ?? ""], .string(words.last ?? ""))
        }
    }

    @Test func everyParameterHasItsOption() throws {
        for parameter in PolicyParameter.all {
            let (words, value) = typed(parameter)
            let members = try PolicyOptions.parse(words).members()
            let expected: JSONValue =
                parameter.group.map { _ in .object([parameter.key: value]) } ?? value
            #expect(members == [parameter.group ?? parameter.name: expected])
        }
    }

    @Test func allAtOnceAreAllGiven() throws {
        let members = try PolicyOptions.parse(PolicyParameter.all.flatMap { typed($0).words })
            .members()
        #expect(Set(members.keys) == Set(PolicyParameter.members))
        for group in ["retry", "dst"] {
            #expect(members[group]?.object?.count == PolicyParameter.parts(of: group).count)
        }
    }

    @Test func aValueOutOfRangeIsRefusedWithOneInRange() throws {
        let options = try PolicyOptions.parse(["--retries", "500"])
        let failure = #expect(throws: Failure.self) { try options.members() }
        #expect(
            failure?.message
                == "cannot use --retries \"500\": it must be an integer from 0 to 100")
        #expect(failure?.hint == "write --retries 100")
        for words in [
            ["--priority", "high"], ["--retry-factor", "0.5"], ["--retry-factor", "nan"],
            ["--grace", "301"], ["--timeout", "0"],
        ] {
            let options = try PolicyOptions.parse(words)
            let failure = #expect(throws: Failure.self) { try options.members() }
            // What the hint says can be typed.
            let hint = try #require(failure?.hint.dropFirst("write ".count))
            let again = hint.split(separator: " ").map(String.init)
            _ = try PolicyOptions.parse(again).members()
        }
    }

    @Test func theDocumentNamesThemAll() throws {
        let repository = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(
            contentsOf: repository.appending(path: "docs/cli.md"), encoding: .utf8)
        let start = try #require(page.range(of: "Policies: "))
        let paragraph = page[start.upperBound...].prefix { $0 != "#" }
        for parameter in PolicyParameter.all {
            #expect(paragraph.contains("`\(parameter.key)`"), "\(parameter.name)")
        }
    }
}
