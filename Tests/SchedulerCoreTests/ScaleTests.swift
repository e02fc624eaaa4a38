// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import SchedulerCore

/// Many tasks: their names stay sorted, and many that are due at once take many turns.
struct ScaleTests {
    private func id(_ number: Int) throws -> TaskID { try TaskID("user.t\(number)") }

    @Test(arguments: [0, 1, 511, 512, 513, 3000])
    func namesStaySortedWhateverIsPutInAndTakenOut(count: Int) throws {
        var names = TaskNames()
        // In an order that is neither theirs nor its reverse.
        let all = try (0..<count).map { try id(10_000 + $0 * 7919 % max(count, 1)) }
        for name in all { names.insert(name) }
        #expect(Array(names) == Set(all).sorted())
        #expect(names.parts.allSatisfy { 1...TaskNames.longestPart ~= $0.count })
        #expect(Array(TaskNames(sorted: all.sorted())) == Array(names))
        for name in all.prefix(count / 2) { names.remove(name) }
        names.remove(try id(1))
        let left = all.dropFirst(count / 2).sorted()
        #expect(Array(names) == left)
        for name in [try id(0), try id(99_999)] + left.prefix(3) + left.suffix(3) {
            #expect(Array(names.following(name)) == left.filter { $0 > name })
            let near = names.near(name, within: 2)
            #expect(
                near == left.filter { $0 < name }.suffix(2) + left.filter { $0 >= name }.prefix(2))
        }
        #expect(Array(names.following(nil)) == left)
    }

    @Test func oneTurnFiresABoundedNumberOfTimersAndTheNextOnesTheRest() throws {
        var settings = CoreSettings()
        settings.timersPerTurn = 3
        settings.maximumConcurrency = 100
        var run = try CoreRun(settings)
        for number in 0..<10 { try run.create("user.t\(number)", "@yearly") }
        _ = run.take()
        let next = try #require(run.core.tasks[try id(0)]?.record.nextRun)
        run.isStoreWell = false
        run.step(next - run.wall)
        var waiting = [run.core.executions.count]
        while run.core.hasDueTimers {
            #expect(run.core.isBusy)
            run.turn()
            waiting.append(run.core.executions.count)
        }
        #expect(waiting == [3, 6, 9, 10])
        run.isStoreWell = true
        run.pass(.seconds(1))
        #expect(Set(run.take().orders.map(\.taskID)).count == 10)
    }
}

/// Entries in parts, and counts beside them.
struct PartedDictionaryTests {
    @Test func itHoldsWhatADictionaryHolds() {
        var parted = PartedDictionary<String, Int>()
        var plain: [String: Int] = [:]
        // Through the size at which it falls into parts.
        for number in 0..<60_000 {
            let key = "k\(number * 7919 % 12_007)"
            switch number % 4 {
            case 0: #expect(parted.removeValue(forKey: key) == plain.removeValue(forKey: key))
            case 1:
                parted[key]? += 1
                plain[key]? += 1
            case 2 where number % 8 == 2:
                parted[key] = nil
                plain[key] = nil
            default:
                parted[key] = number
                plain[key] = number
            }
            #expect(parted.count == plain.count)
        }
        #expect(parted.parts.count > 1)
        #expect(parted.keys.sorted() == plain.keys.sorted())
        #expect(parted.values.sorted() == plain.values.sorted())
        #expect(parted.allSatisfy { plain[$0.key] == $0.value })
        #expect(parted.isEmpty == plain.isEmpty)
    }

    @Test func aMillionWouldBeInPartsOfSomeThousands() {
        var parted = PartedDictionary<String, Int>()
        for number in 0..<100_000 { parted["user.t\(number)"] = number }
        let longest = parted.parts.map(\.count).max() ?? 0
        #expect(longest < 2 * 100_000 / PartedDictionary<String, Int>.partCount)
    }
}
