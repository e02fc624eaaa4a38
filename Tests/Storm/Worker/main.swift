// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// A worker of class agency whose only type makes random system calls: its class starts no programs.

import AicoCore
import CStorm
import TaskKit

/// Makes random system calls in the process of its attempt.
struct Storm: ScheduledTask {
    struct Config: TaskConfig {
        let seed: Int
        let calls: Int
        let rare: String

        init(from config: inout ConfigReader) throws(ConfigError) {
            seed = try config.integer("seed", "What chance begins with")
            calls = try config.integer("calls", "How many the counter is to have")
            rare = try config.string("rare", "Numbers of calls to make seldom, with commas")
        }
    }

    static let id = "agency.storm"
    static let summary = "Makes random system calls"

    func run(_ config: Config, _ context: TaskContext) async throws -> NoResult {
        let error = aico_storm(
            UInt64(bitPattern: Int64(config.seed)), UInt64(config.calls), "/aico/memory/storm",
            config.rare)
        guard error == 0 else { throw TaskFailure.permanent("cannot begin: errno \(error)") }
        return NoResult()
    }
}

WorkerMain.run(class: .agency, types: [Storm.self])
