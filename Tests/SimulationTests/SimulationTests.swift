// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import Testing

@testable import Simulation

/// The core among models of all that is around it, on a virtual clock.
@Suite(.serialized)
struct SimulationTests {
    /// Ten thousand hours where the release executable is there, some where it is not. The seed is
    /// fixed, so that a failure is the change's; `make soak` draws others.
    @Test func noInvariantIsBroken() throws {
        guard let directory = ProcessInfo.processInfo.environment["AICO_BIN_DIR"] else {
            let summary = Simulation(seed: 1, hours: 60, mutant: nil).run()
            #expect(summary.failure == nil, "\(summary.line)")
            return
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "\(directory)/aico-simulate")
        process.arguments = ["--seed", "712805602", "--hours", "10000"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = String(
            decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        print(output)
        #expect(process.terminationStatus == 0)
        let last = output.split(separator: "\n").last ?? ""
        #expect(last.hasPrefix("simulated 10000 h, "))
        #expect(last.contains(" 0 violations, trace "))
    }

    @Test func theSameSeedGivesTheSameTrace() {
        let lines = (0..<2).map { _ in Simulation(seed: 7, hours: 30, mutant: nil).run().line }
        #expect(lines[0] == lines[1])
        #expect(Simulation(seed: 8, hours: 30, mutant: nil).run().line != lines[0])
    }
}
