// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// The worker's own words, for the supervisor's log: one line each on standard error.
enum WorkerLog {
    static func write(_ message: String) {
        let line = Array("worker: \(message)\n".utf8)
        Glibc.write(STDERR_FILENO, line, line.count)
    }
}
