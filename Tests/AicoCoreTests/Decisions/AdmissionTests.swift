// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct AdmissionTests {
    private typealias Decision = Admission.Decision

    /// A place with room on a machine that does nothing.
    private static let free = Admission.Place(
        free: 1, freeInClass: 1, load: Admission.Load(cpu: 0, memory: 0))

    struct Overlap: Sendable, CustomTestStringConvertible {
        let policy: OverlapPolicy
        let open: Int
        let waiting: Int
        let expected: Admission.Decision
        var testDescription: String { "\(policy), \(open) open, \(waiting) waiting" }

        init(_ policy: OverlapPolicy, _ open: Int, _ waiting: Int, _ expected: Admission.Decision) {
            self.policy = policy
            self.open = open
            self.waiting = waiting
            self.expected = expected
        }
    }

    @Test(arguments: [
        Overlap(.skip, 0, 0, .run), Overlap(.skip, 1, 0, .skip(.overlap)),
        Overlap(.skip, 0, 1, .skip(.overlap)), Overlap(.skip, 1, 1, .skip(.overlap)),
        Overlap(.queueOne, 0, 0, .run), Overlap(.queueOne, 1, 0, .deferred(.overlap)),
        Overlap(.queueOne, 0, 1, .skip(.overlap)), Overlap(.queueOne, 1, 1, .skip(.overlap)),
        Overlap(.queueAll, 0, 0, .run), Overlap(.queueAll, 1, 0, .deferred(.overlap)),
        Overlap(.queueAll, 0, 1, .deferred(.overlap)),
        Overlap(.queueAll, 1, 5, .deferred(.overlap)),
        Overlap(.cancelOld, 0, 0, .run), Overlap(.cancelOld, 1, 0, .cancelOld),
        Overlap(.cancelOld, 0, 1, .deferred(.overlap)),
        Overlap(.cancelOld, 1, 1, .deferred(.overlap)),
        Overlap(.allow, 0, 0, .run), Overlap(.allow, 7, 7, .run),
    ])
    func overlap(row: Overlap) {
        let candidate = Admission.Candidate(
            policies: TaskPolicies(overlap: row.policy), openOfTask: row.open,
            waitingOfTask: row.waiting)
        #expect(Admission.decide(candidate, at: Self.free) == row.expected)
    }

    @Test func overlapComesBeforeAllElse() {
        let candidate = Admission.Candidate(policies: TaskPolicies(), openOfTask: 1)
        let place = Admission.Place(
            isWorkerReady: false, free: 0, freeInClass: 0,
            load: Admission.Load(cpu: 100, memory: 100))
        #expect(Admission.decide(candidate, at: place) == .skip(.overlap))
    }

    @Test func roomIsAskedForInOrder() {
        let candidate = Admission.Candidate(policies: TaskPolicies())
        func decide(_ isReady: Bool, _ free: Int, _ inClass: Int) -> Admission.Decision {
            Admission.decide(
                candidate,
                at: Admission.Place(isWorkerReady: isReady, free: free, freeInClass: inClass))
        }
        #expect(decide(false, 0, 0) == .deferred(.worker))
        #expect(decide(true, 0, 0) == .deferred(.concurrency))
        #expect(decide(true, 1, 0) == .deferred(.classConcurrency))
        #expect(decide(true, 1, 1) == .run)
    }

    struct Resources: Sendable, CustomTestStringConvertible {
        let cpu: Double
        let memory: Double
        var idleOnly = false
        var isManual = false
        var waited = 0
        let expected: Admission.Decision
        var testDescription: String {
            "\(cpu) % CPU, \(memory) % memory, idle only \(idleOnly), manual \(isManual), "
                + "waited \(waited) s"
        }
    }

    @Test(arguments: [
        Resources(cpu: 80, memory: 80, expected: .run),
        Resources(cpu: 80.1, memory: 0, expected: .deferred(.cpu)),
        Resources(cpu: 0, memory: 80.1, expected: .deferred(.memory)),
        Resources(cpu: 99, memory: 99, expected: .deferred(.cpu)),
        Resources(cpu: 99, memory: 99, waited: 599, expected: .deferred(.cpu)),
        Resources(cpu: 99, memory: 99, waited: 600, expected: .run),
        Resources(cpu: 99, memory: 99, isManual: true, expected: .run),
        Resources(cpu: 20, memory: 70, idleOnly: true, expected: .run),
        Resources(cpu: 20.1, memory: 0, idleOnly: true, expected: .deferred(.notIdle)),
        Resources(cpu: 0, memory: 70.1, idleOnly: true, expected: .deferred(.notIdle)),
        Resources(
            cpu: 21, memory: 0, idleOnly: true, waited: 600, expected: .skip(.maximumDefer)),
        Resources(cpu: 5, memory: 5, idleOnly: true, waited: 600, expected: .run),
        Resources(cpu: 99, memory: 99, idleOnly: true, isManual: true, expected: .run),
    ])
    func resources(row: Resources) {
        let candidate = Admission.Candidate(
            policies: TaskPolicies(idleOnly: row.idleOnly), isManual: row.isManual,
            waited: .seconds(row.waited))
        let place = Admission.Place(
            free: 1, freeInClass: 1, load: Admission.Load(cpu: row.cpu, memory: row.memory))
        #expect(Admission.decide(candidate, at: place) == row.expected)
    }

    @Test func anUnknownLoadHoldsNothingBack() {
        let candidate = Admission.Candidate(policies: TaskPolicies(idleOnly: true))
        let place = Admission.Place(free: 1, freeInClass: 1, load: nil)
        #expect(Admission.decide(candidate, at: place) == .run)
    }

    @Test func onlyResourcesAreLookedAtAgain() {
        #expect(
            Admission.Deferral.allCases.filter(\.isForResources) == [.cpu, .memory, .notIdle])
    }
}
