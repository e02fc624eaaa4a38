// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// A write-ahead log that stays large makes health degraded, and one that shrinks makes it well.
struct LogHealthTests {
    private static let bound = HealthRules.Limits().logBytes

    private func published(_ run: inout CoreRun) -> [HealthStatus] {
        run.take().compactMap { action in
            guard case .publish(.health(let status, _)) = action else { return nil }
            return status
        }
    }

    @Test func logThatStaysLargeIsToldOnceAndItsEndToo() throws {
        var run = try CoreRun()
        #expect(published(&run) == [])
        for _ in 0..<10 {
            run.feed(.writeAheadLog(bytes: Self.bound + 1, readers: ["process 7 (cat)"]))
            run.pass(.seconds(1))
        }
        #expect(published(&run) == [])
        run.feed(.writeAheadLog(bytes: Self.bound + 1, readers: ["process 7 (cat)"]))
        #expect(published(&run) == [.degraded])
        let check = HealthRules.judge(run.core.healthFacts).checks.first { $0.name == "store.wal" }
        #expect(check?.message.contains("process 7 (cat) reads") == true)
        run.feed(.writeAheadLog(bytes: Self.bound, readers: []))
        #expect(published(&run) == [.healthy])
    }

    @Test func logThatShrinksMeanwhileBeginsAnew() throws {
        var run = try CoreRun()
        for bytes in [Self.bound + 1, Self.bound, Self.bound + 1] {
            run.feed(.writeAheadLog(bytes: bytes, readers: []))
            run.pass(.seconds(9))
        }
        run.feed(.writeAheadLog(bytes: Self.bound + 1, readers: []))
        #expect(published(&run) == [])
    }
}
