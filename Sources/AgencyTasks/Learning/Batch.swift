// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// What was counted since the last commit.
struct Batch: Equatable {
    /// Lines that end here, those that are no interactions among them.
    var lines = 0
    /// Lines that are no interactions, or too long.
    var skipped = 0
    /// Terms, each as often as it is there.
    var terms = 0
    var counts: [String: Int] = [:]
    var activity: [ActivitySlot: Int] = [:]

    mutating func add(_ piece: InteractionLines.Piece, in zone: ZoneRules) {
        lines += 1
        guard case .line(let line) = piece, let interaction = Interaction(line: line) else {
            skipped += 1
            return
        }
        if let moment = interaction.moment {
            activity[ActivitySlot(moment, in: zone), default: 0] += 1
        }
        for term in interaction.text.map(Terms.split) ?? [] {
            counts[term, default: 0] += 1
            terms += 1
        }
    }
}

/// When a batch is committed.
struct BatchLimit {
    var lines = 1000
    var duration: Duration = .milliseconds(250)
    /// How much of a file is read at once: a batch ends between two such reads.
    var chunkBytes = 64 * 1024
}

/// Why a run ended.
enum Stop: String, Encodable {
    /// Nothing new was left.
    case finished
    case maximumDuration = "max_duration"
    case busy
}
