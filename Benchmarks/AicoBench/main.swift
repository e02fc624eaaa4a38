// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

do {
    try Echo.serveIfAsked(CommandLine.arguments)
    let arguments = BenchArguments(CommandLine.arguments)
    var report = BenchReport()
    if arguments.parts.contains("schedule") { try ScheduleBench.run(into: &report) }
    if arguments.parts.contains("queue") { try QueueBench.run(into: &report) }
    if arguments.parts.contains("list") { try ListBench(arguments).run(into: &report) }
    if arguments.parts.contains("start") { try StartBench(arguments).run(into: &report) }
    if arguments.parts.contains("floor") { try FloorBench(arguments).run(into: &report) }
    if arguments.parts.contains("system") { try SystemBench(arguments).run(into: &report) }
    print(report.table())
    if let path = arguments.json { try report.writeJSON(to: path) }
} catch {
    complain("\(error)")
    exit(1)
}
