// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How a process ended, for people.
package enum WaitStatusText {
    /// A raw wait status in words that follow the process's name: `ended with exit code 3`,
    /// `was ended by signal 9`; see wait(2).
    package static func words(_ status: Int32) -> String {
        let signal = status & 0x7F
        return signal == 0
            ? "ended with exit code \(status >> 8 & 0xFF)" : "was ended by signal \(signal)"
    }
}
