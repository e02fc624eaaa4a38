// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// A worker of nothing but a fork server, for the tests of the sandbox. `sandbox-fixture SCENARIO...`
// stands in a worker's place, runs one attempt for each scenario and prints each event as a line.
// `sandbox-fixture --outside SCENARIO` does the same action in this process: the positive control.

import CLinux
import Glibc
import LinuxSandbox

let scenarios = Array(CommandLine.arguments.dropFirst())
if scenarios.first == "--outside" {
    say("said \(Scenario.run(scenarios.dropFirst().first ?? ""))")
    exit(0)
}
do {
    let plan = try PlanCodec.decode(readPlan())
    let forkServer = try ForkServer.split(plan: plan) { channel in
        Scenario.serve(channel)
    }
    if scenarios.first == "--measure" {
        try Measurement.run(forkServer, count: scenarios.dropFirst().first.flatMap { Int($0) } ?? 1)
    } else {
        try FixtureWorker(forkServer: forkServer).run(scenarios)
    }
} catch {
    say("failed \(error)")
    exit(1)
}

func readPlan() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: PlanCodec.maximumBytes)
    let count = pread(3, &bytes, bytes.count, 0)
    return Array(bytes.prefix(max(count, 0)))
}

/// Writes a line at once: what is left in a buffer would be written again by every fork.
func say(_ text: String) {
    let line = Array("\(text)\n".utf8)
    write(1, line, line.count)
}
