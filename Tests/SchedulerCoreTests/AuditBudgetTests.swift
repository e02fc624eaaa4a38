// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// What a client can have audited without any right is bounded, and what is left out is counted.
struct AuditBudgetTests {
    private func audited(_ run: inout CoreRun) -> [String] {
        run.take().flatMap { action -> [String] in
            guard case .write(_, let changes) = action else { return [] }
            return changes.compactMap {
                guard case .audit(let entry) = $0 else { return nil }
                return "\(entry.actor) \(entry.action) \(entry.subject)\(entry.detail)"
            }
        }
    }

    @Test func whatIsBeyondTheFirstTenOfAMinuteIsOneLine() throws {
        var run = try CoreRun()
        for number in 1...13 {
            run.feed(.audit(actor: "a", action: "no", subject: "s\(number)", detail: ""))
        }
        for number in 1...10 {
            run.feed(.audit(actor: "b", action: "no", subject: "s\(number)", detail: ""))
        }
        run.feed(.audit(actor: "a", action: "other", subject: "s1", detail: ""))
        run.turn()
        let alone = (1...10).map { "a no s\($0)" } + (1...10).map { "b no s\($0)" }
        #expect(audited(&run) == alone + ["a other s1"])
        run.pass(.seconds(59))
        #expect(audited(&run) == [])
        run.pass(.seconds(2))
        #expect(audited(&run) == ["a no 3 more in 60 s"])
        // The next minute has lines of its own.
        run.feed(.audit(actor: "a", action: "no", subject: "s14", detail: ""))
        run.turn()
        #expect(audited(&run) == ["a no s14"])
        run.pass(.seconds(120))
        #expect(audited(&run) == [])
    }
}
