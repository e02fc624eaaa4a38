// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Foundation
import Testing
import TimeZones

/// One line of `cron-vectors.jsonl` or `cron-dialects.jsonl`.
struct CronVector: Decodable, CustomTestStringConvertible, Sendable {
    let expr: String
    let source: String
    let tz: String?
    let after: String?
    let next: [String]?
    let no_match: [String]?
    let valid: Bool?
    let tags: [String]?
    let ocps10: String?
    let vixie_next: [String]?

    var testDescription: String { "\(expr) | \(tz ?? "") after \(after ?? "")" }

    static func load(_ file: String) -> [CronVector] {
        guard
            let url = Bundle.module.url(
                forResource: file, withExtension: "jsonl", subdirectory: "Fixtures"),
            let data = try? Data(contentsOf: url)
        else { return [] }
        return data.split(separator: 0x0A).compactMap {
            try? JSONDecoder().decode(CronVector.self, from: Data($0))
        }
    }

    static let all = load("cron-vectors")
    static let dialects = load("cron-dialects")
}

/// Gives the next times of an expression, as ISO 8601 in UTC.
func nextTimes(
    _ expression: String, in zone: String, after: String, count: Int,
    dst: DSTPolicy = DSTPolicy()
) throws -> [String] {
    let schedule = try Schedule.parse(expression)
    let rules = try TimeZoneStore.load(zone)
    let start = try #require(Instant(iso8601: after))
    return schedule.times(after: start, in: rules, created: start, dst: dst)
        .prefix(count).map(\.iso8601)
}

/// Gives the same instants in UTC.
func utc(_ texts: [String]) throws -> [String] {
    try texts.map { try #require(Instant(iso8601: $0)).iso8601 }
}
