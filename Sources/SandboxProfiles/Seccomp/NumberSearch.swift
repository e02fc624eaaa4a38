// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Finds a call's decision by its number, with as few compares as there can be in a short time.
///
/// Between two runs stands one compare of a binary search; a lone number among others of one
/// decision takes one compare for equality instead of two.
struct NumberSearch {
    private typealias Run = FilterWalk.Run

    /// Neighbouring runs: single numbers, and for all others here one decision.
    private struct Block {
        var lower: UInt32
        var singles: [FilterWalk.Run]
        var otherwise: DecisionGraph.Decision
    }

    /// More would make the way of the others through a block longer than the search for it.
    private static let mostSingles = 3

    private let blocks: [Block]

    /// Takes runs from number 0 on.
    init(_ runs: [FilterWalk.Run]) { blocks = Self.blocks(of: runs) }

    /// Adds the search to the graph.
    func add(to graph: inout DecisionGraph) -> DecisionGraph.Decision {
        add(blocks[...], to: &graph)
    }

    private func add(
        _ blocks: ArraySlice<Block>, to graph: inout DecisionGraph
    ) -> DecisionGraph.Decision {
        guard blocks.count > 1 else {
            var decision = blocks[blocks.startIndex].otherwise
            for single in blocks[blocks.startIndex].singles.reversed() {
                decision = graph.test(
                    DecisionGraph.Test(offset: FilterWord.number, constant: single.lower),
                    yes: single.decision, no: decision)
            }
            return decision
        }
        let middle = blocks.startIndex + blocks.count / 2
        let yes = add(blocks[middle...], to: &graph)
        let no = add(blocks[..<middle], to: &graph)
        return graph.test(
            DecisionGraph.Test(
                offset: FilterWord.number, comparison: .atLeast, constant: blocks[middle].lower),
            yes: yes, no: no)
    }

    /// The cut into blocks that takes the fewest compares.
    private static func blocks(of runs: [Run]) -> [Block] {
        // What the runs before an index cost at least, and the block that ends there.
        var best: [(cost: Int, last: Block?)] = [(0, nil)]
        var starts = [0]
        for end in 1...runs.count {
            var choice: (cost: Int, last: Block?, start: Int) = (.max, nil, 0)
            for start in max(0, end - 2 * mostSingles - 1)..<end {
                guard let block = block(of: runs, start..<end) else { continue }
                let cost = best[start].cost + block.singles.count + 1
                if cost < choice.cost { choice = (cost, block, start) }
            }
            best.append((choice.cost, choice.last))
            starts.append(choice.start)
        }
        var blocks: [Block] = []
        var end = runs.count
        while end > 0, let block = best[end].last {
            blocks.append(block)
            end = starts[end]
        }
        return blocks.reversed()
    }

    private static func block(of runs: [Run], _ range: Range<Int>) -> Block? {
        func isSingle(_ index: Int) -> Bool {
            index + 1 < runs.count
                ? runs[index + 1].lower == runs[index].lower + 1 : runs[index].lower == .max
        }
        // One of the longer runs if there are any: they cannot be tested for one by one.
        let wide = range.first { !isSingle($0) }
        let candidates = wide.map { [$0] } ?? Array(range)
        let choices = candidates.compactMap { candidate -> Block? in
            let otherwise = runs[candidate].decision
            let others = range.filter { runs[$0].decision != otherwise }
            guard others.count <= mostSingles, others.allSatisfy(isSingle) else { return nil }
            return Block(
                lower: runs[range.lowerBound].lower, singles: others.map { runs[$0] },
                otherwise: otherwise)
        }
        return choices.min { $0.singles.count < $1.singles.count }
    }
}
