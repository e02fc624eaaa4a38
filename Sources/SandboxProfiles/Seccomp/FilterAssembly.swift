// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox

/// Writes a graph of decisions as a program, from its end to its beginning.
///
/// Jumps go forwards only, so that what a jump leads to is written before it, and its distance is
/// known.
struct FilterAssembly {
    private typealias Decision = DecisionGraph.Decision

    /// How a test is put into instructions.
    private struct Form {
        var offset: UInt32
        /// What the loaded word is masked with, all ones if it is not.
        var mask: UInt32
        var code: FilterCode
        var constant: UInt32
        var yes: DecisionGraph.Decision
        var no: DecisionGraph.Decision

        init(_ test: DecisionGraph.Test, yes: DecisionGraph.Decision, no: DecisionGraph.Decision) {
            offset = test.offset
            mask = test.mask
            constant = test.constant
            (self.yes, self.no) = (yes, no)
            switch test.comparison {
            case .atLeast: code = .jumpAtLeast
            case .equal: code = .jumpEqual
            }
            // Saves the instruction that masks.
            if code == .jumpEqual, constant == 0, mask != .max {
                (code, constant, mask) = (.jumpSet, mask, .max)
                (self.yes, self.no) = (no, yes)
            }
        }

        /// How many instructions come before the compare, if `form` was tested just before.
        func preparation(after form: Form?) -> Int {
            let masking = mask == .max ? 0 : 1
            guard let form, form.offset == offset, mask & ~form.mask == 0 else {
                return 1 + masking
            }
            return form.mask == mask ? 0 : masking
        }
    }

    private let graph: DecisionGraph
    private var forms: [DecisionGraph.Decision: Form] = [:]
    /// How many of the instructions before its compare each test needs.
    private var preparations: [DecisionGraph.Decision: Int] = [:]
    /// The instructions from the last to the first, and where in them compares and returns are.
    private var reversed: [FilterInstruction] = []
    private var places: [DecisionGraph.Decision: Int] = [:]
    /// The nearest jump to a place.
    private var jumps: [Int: Int] = [:]

    /// The program that decides as the graph does from `root` on.
    static func program(
        of graph: DecisionGraph, from root: DecisionGraph.Decision
    ) -> [FilterInstruction] {
        var assembly = FilterAssembly(graph)
        assembly.prepare(root, after: nil)
        assembly.write(root)
        return assembly.reversed.reversed()
    }

    private init(_ graph: DecisionGraph) { self.graph = graph }

    private mutating func prepare(_ decision: Decision, after form: Form?) {
        guard case .test(let test, let yes, let no) = graph[decision] else { return }
        let own = forms[decision] ?? Form(test, yes: yes, no: no)
        preparations[decision] = max(
            preparations[decision] ?? 0, own.preparation(after: form))
        guard forms.updateValue(own, forKey: decision) == nil else { return }
        prepare(own.yes, after: own)
        prepare(own.no, after: own)
    }

    private mutating func write(_ decision: Decision) {
        guard places[decision] == nil else { return }
        guard let form = forms[decision] else { return writeLeave(decision) }
        write(form.no)
        write(form.yes)
        let yes = reach(form.yes, after: form)
        let no = reach(form.no, after: form)
        put(form.code, form.constant, ifTrue: UInt8(skip(to: yes)), ifFalse: UInt8(skip(to: no)))
        places[decision] = reversed.count - 1
        let preparation = preparations[decision] ?? 0
        let masking = form.mask == .max ? 0 : 1
        if masking > 0, preparation > 0 { put(.and, form.mask) }
        if preparation > masking { put(.loadWord, form.offset) }
    }

    private mutating func writeLeave(_ decision: Decision) {
        guard case .leave(let action) = graph[decision] else { return }
        put(.leave, action)
        places[decision] = reversed.count - 1
    }

    /// Where to jump to from a compare that is written next; makes a nearer place if need be.
    private mutating func reach(_ decision: Decision, after form: Form) -> Int {
        guard var place = places[decision] else {
            preconditionFailure("what follows a test is written before it")
        }
        // What is not prepared by the test itself lies before the compare.
        place += forms[decision]?.preparation(after: form) ?? 0
        if let nearer = jumps[place] { place = nearer }
        // The most is 255; what the other side of the test needs may come in between.
        guard skip(to: place) > 254 else { return place }
        if forms[decision] == nil {
            // Another return is no longer than a jump to one.
            writeLeave(decision)
        } else {
            put(.jump, UInt32(skip(to: place)))
            jumps[place] = reversed.count - 1
        }
        return reversed.count - 1
    }

    /// The instructions between the next one written and one that is.
    private func skip(to place: Int) -> Int { reversed.count - place - 1 }

    private mutating func put(
        _ code: FilterCode, _ constant: UInt32, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0
    ) {
        reversed.append(
            FilterInstruction(
                code: code.rawValue, jumpTrue: ifTrue, jumpFalse: ifFalse, constant: constant))
    }
}
