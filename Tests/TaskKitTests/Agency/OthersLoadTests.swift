// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import Testing

@testable import AgencyTasks

@Suite struct OthersLoadTests {
    /// The load average after `looks` of the kernel's looks with `running` threads each.
    private static func load(from start: Double, running: Double, looks: Int) -> Double {
        (0..<looks).reduce(start) { load, _ in
            load * exp(-1.0 / 12) + running * (1 - exp(-1.0 / 12))
        }
    }

    private static let looks = [4, 5, 12, 60, 200]

    @Test(arguments: looks, [0, 1, 8] as [Double])
    func theTaskItselfAndWhatWasBeforeAreNotOthers(looks: Int, start: Double) throws {
        let others = OthersLoad(atStart: start, processors: 1)
        for phase in [0, 1] {
            let load = Self.load(from: start, running: 1, looks: looks + phase)
            let percent = try #require(
                others.percent(load: load, after: .seconds(5 * looks) + .milliseconds(10)))
            #expect(percent < 0.001)
        }
    }

    @Test(arguments: looks, [0, 1, 8] as [Double])
    func othersAreSeenWhateverWasBefore(looks: Int, start: Double) throws {
        let others = OthersLoad(atStart: start, processors: 4)
        let load = Self.load(from: start, running: 3, looks: looks)
        let percent = try #require(
            others.percent(load: load, after: .seconds(5 * looks) + .milliseconds(10)))
        // Two of four, less what one look more would explain.
        #expect(percent <= 50.001)
        if start <= 1 { #expect(percent > 35) }
        if looks >= 60 { #expect(percent > 49) }
    }

    @Test func itIsTooEarlyBeforeTheFourthLook() {
        let others = OthersLoad(atStart: 0, processors: 2)
        #expect(others.percent(load: 100, after: .seconds(19)) == nil)
        #expect(others.percent(load: 100, after: .seconds(20)) == 100)
    }

    @Test func theRealMachineSaysItsLoad() throws {
        let load = try #require(Machine.real.load())
        let text = try String(contentsOfFile: "/proc/loadavg", encoding: .utf8)
        let said = try #require(text.split(separator: " ").first.flatMap { Double($0) })
        // A look of the kernel may lie between the two readings.
        #expect(abs(load - said) <= 0.1 * max(load, said) + 2)
        #expect(Machine.real.processors >= 1)
    }
}
