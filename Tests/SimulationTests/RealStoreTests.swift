// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import Simulation

/// The real store, on a disk that fails, in place of its model.
@Suite(.serialized)
struct RealStoreTests {
    private func world(
        _ seed: UInt64, hours: Int64, planted: RealStore.Planted? = nil
    ) throws -> World {
        let real = try #require(RealStore(planted: planted))
        var world = World(
            Simulation(seed: seed, hours: 50).scenario(0), mutant: nil, real: real)
        world.stopAt = .hours(hours)
        return world
    }

    @Test func nothingIsViolatedAndOneSeedGivesOneTrace() throws {
        var once = try world(21, hours: 12)
        once.run()
        #expect(once.judge.violation == nil, "\(once.judge.violation as Any)")
        var again = try world(21, hours: 12)
        again.run()
        #expect(once.hash == again.hash)
        #expect(once.faults == again.faults)
        let real = try #require(once.real)
        #expect(real.commits > 100)
        #expect(real.faults > 100)
    }

    /// On a sound disk nobody can tell the two apart.
    @Test func theStoreIsWhatItsModelSays() throws {
        let scenario = Simulation(seed: 22, hours: 50).scenario(0)
        let inputs = scenario.inputs.filter {
            if case .storeFails = $0.input { false } else { true }
        }
        let real = try #require(RealStore(isFaulty: false))
        var worlds = [real, nil].map {
            World(scenario, inputs: inputs, mutant: nil, real: $0)
        }
        for index in worlds.indices {
            worlds[index].stopAt = .hours(20)
            worlds[index].run()
            #expect(worlds[index].judge.violation == nil)
        }
        #expect(worlds[0].events == worlds[1].events)
        #expect(worlds[0].hash == worlds[1].hash)
        #expect(real.faults == 0)
        #expect(real.commits > 100)
    }

    @Test(arguments: RealStore.Planted.allCases)
    func aFaultOfTheStoreIsFound(planted: RealStore.Planted) throws {
        for seed in UInt64(31)...34 {
            var world = try world(seed, hours: 50, planted: planted)
            world.run()
            if let violation = world.judge.violation {
                #expect(violation.check == .store, "\(violation)")
                return
            }
        }
        Issue.record("\(planted) is not found")
    }
}
