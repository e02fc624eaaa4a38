// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What a filter decides, as a graph of tests that ends in actions.
///
/// What is equal is one node: two decisions are the same if their indices are.
struct DecisionGraph {
    /// The index of a node.
    typealias Decision = Int

    /// One word of struct seccomp_data under a mask against a constant.
    struct Test: Hashable {
        /// How the word is compared; arguments for equality only.
        enum Comparison: Hashable { case equal, atLeast }

        var offset: UInt32
        var mask: UInt32 = .max
        var comparison = Comparison.equal
        var constant: UInt32
    }

    /// An end, or a test with what follows from it.
    enum Node: Hashable {
        case leave(UInt32)
        case test(Test, yes: Decision, no: Decision)
    }

    private var nodes: [Node] = []
    private var indices: [Node: Decision] = [:]

    /// The node of a decision that this graph gave out.
    subscript(decision: Decision) -> Node { nodes[decision] }

    /// Finds or makes the end with an action.
    mutating func leave(_ action: UInt32) -> Decision { index(of: .leave(action)) }

    /// Finds or makes a test; one that decides nothing is not made.
    mutating func test(_ test: Test, yes: Decision, no: Decision) -> Decision {
        guard yes != no else { return yes }
        var test = test
        // A single bit is set or is 0: of the two ways to ask, one.
        if test.comparison == .equal, test.constant != 0, test.mask.nonzeroBitCount == 1 {
            test.constant = 0
            return index(of: .test(test, yes: no, no: yes))
        }
        return index(of: .test(test, yes: yes, no: no))
    }

    private mutating func index(of node: Node) -> Decision {
        if let known = indices[node] { return known }
        nodes.append(node)
        indices[node] = nodes.count - 1
        return nodes.count - 1
    }
}
