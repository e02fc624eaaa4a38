// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Foundation
import Testing

/// The members of requests, as docs/wire-protocol.md lists them, are those that are taken.
@Suite(.serialized)
struct RequestMembersTests {
    /// The members of each request's body, by the page.
    private static func listed() throws -> [String: Set<String>] {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/wire-protocol.md").standardized
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        var members: [String: Set<String>] = [:]
        for line in lines where line.hasPrefix("| `scheduler.") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            guard cells.count == 5 else { continue }
            let names = words(cells[1])
            let prefix = names[0].split(separator: ".").dropLast().joined(separator: ".")
            for name in names {
                members[name.contains(".") ? name : "\(prefix).\(name)"] = Set(words(cells[2]))
            }
        }
        return members
    }

    /// What stands between backquotes.
    private static func words(_ cell: Substring) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    @Test func thePageHasTheMembersThatAreTaken() throws {
        let run = try SchedulerRun(try InstanceRoot())
        let listed = try Self.listed()
        for topic in BusTopic.allCases where ![.supervisorDrain, .supervisorReload].contains(topic)
        {
            let error = #expect(throws: BusError.self) {
                try run.request(topic, ["0123456789": 1])
            }
            #expect(error?.code == .invalid)
            let hint = try #require(error?.hint)
            #expect(hint.hasPrefix("known are "), "\(topic): \(hint)")
            let known = hint.dropFirst(10).split(separator: ", ").map(String.init)
            #expect(listed[topic.rawValue] == Set(known), "\(topic.rawValue)")
        }
    }
}
