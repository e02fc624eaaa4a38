// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Decides by a canary's end whether its class's sandbox holds.
package enum CanaryRules {
    /// The system call that must be denied to it and end it, by name.
    package static let lastCall = "unshare"

    /// How the canary ended, as seen from outside.
    package enum End: Sendable, Hashable {
        /// This system call was denied and ended it.
        case denied(String)
        /// Otherwise, in words.
        case otherwise(String)
        /// It did not end in its time.
        case missing
    }

    /// What follows for the class.
    package enum Finding: Sendable, Hashable {
        /// All so many escape checks passed: it may take orders.
        case passed(Int)
        /// It takes no orders; the words say why.
        case failed(String)
    }

    /// Judges by the lines it logged and its end; a way out that was not tried counts as open.
    package static func judge(lines: [String], end: End) -> Finding {
        // Before its end: the way out is what has to be closed, whatever came after it.
        if let report = lines.lazy.compactMap({ CanaryReport(line: $0) }).first(where: {
            !$0.open.isEmpty
        }) {
            let words = EscapeCheck.allCases.filter { report.open.contains($0) }.map(\.words)
            return .failed("its canary could \(words.joined(separator: ", "))")
        }
        switch end {
        case .missing: return .failed("its canary did not end in time")
        case .otherwise(let words):
            return .failed("its canary was not ended by \(lastCall): \(words)")
        case .denied(lastCall): break
        case .denied(let call):
            return .failed("its canary was ended by \(call), not by \(lastCall)")
        }
        guard lines.count == 1, let report = CanaryReport(line: lines[0]) else {
            return .failed("its canary reported nothing that can be read")
        }
        let all = EscapeCheck.allCases.count
        guard report.tried == all else {
            return .failed("its canary tried \(report.tried) of \(all) ways out")
        }
        return .passed(all)
    }
}
