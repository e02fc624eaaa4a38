// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import FloorWords

/// What the floor of an attempt consists of, and what comes on top of it: each part left out and each
/// extra added, in turn, and how much that changes.
struct FloorBench {
    let arguments: BenchArguments

    init(_ arguments: BenchArguments) { self.arguments = arguments }

    func run(into report: inout BenchReport) throws {
        let program = try EmptyProgram()
        defer { program.remove() }
        let floor = try Floor(arguments, program)
        defer { floor.end() }
        var whole = Change(words: "floor of an attempt, not made ahead, p10")
        var changes =
            (0..<UInt32(FLOOR_PART_COUNT)).map {
                Change(words: "of it: " + Floor.words(ofPart: $0), without: 1 << $0)
            }
            + (0..<UInt32(FLOOR_EXTRA_COUNT)).map {
                Change(words: "beside it: " + Floor.words(ofExtra: $0), with: 1 << $0)
            }
        for round in 0..<arguments.rounds + 10 {
            // The first rounds fill caches.
            let counts = round >= 10
            // What the one before leaves in caches is nobody's in particular.
            for index in changes.indices.shuffled() {
                try changes[index].measure(floor, counts: counts)
                if index % 8 == 0 { try whole.measure(floor, counts: counts) }
            }
        }
        report.add(whole.words, whole.time, "ms")
        for change in changes {
            report.add(
                change.words,
                change.without == 0 ? change.time - whole.time : whole.time - change.time, "ms")
        }
    }

    /// The floor, but for something.
    private struct Change {
        let words: String
        var without: UInt32 = 0
        var with: UInt32 = 0
        private var samples = Samples()

        init(words: String, without: UInt32 = 0, with: UInt32 = 0) {
            self.words = words
            self.without = without
            self.with = with
        }

        mutating func measure(_ floor: Floor, counts: Bool) throws {
            let time = try floor.attempt(without: without, with: with)
            if counts { samples.values.append(time) }
        }

        /// Where others use the machine, most wait for their turn; these do not.
        var time: Double { samples.percentile(0.1) }
    }
}
