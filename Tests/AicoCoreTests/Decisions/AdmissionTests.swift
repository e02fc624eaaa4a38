// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct AdmissionTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let overlap: OverlapPolicy
        let open: Int
        let waiting: Int
        let expected: Admission.Arrival
        var testDescription: String { "\(overlap), \(open) open, \(waiting) waiting" }

        init(_ overlap: OverlapPolicy, _ open: Int, _ waiting: Int, _ expected: Admission.Arrival) {
            self.overlap = overlap
            self.open = open
            self.waiting = waiting
            self.expected = expected
        }
    }

    @Test(arguments: [
        Row(.skip, 0, 0, .inLine), Row(.skip, 1, 0, .skip(.overlap)),
        Row(.skip, 0, 1, .skip(.overlap)), Row(.queueOne, 0, 0, .inLine),
        Row(.queueOne, 1, 0, .inLine), Row(.queueOne, 1, 1, .skip(.overlap)),
        Row(.queueOne, 0, 1, .skip(.overlap)), Row(.queueAll, 1, 0, .inLine),
        Row(.queueAll, 1, 7, .inLine), Row(.cancelOld, 0, 0, .instead),
        Row(.cancelOld, 1, 1, .instead), Row(.allow, 3, 3, .beside),
    ])
    func anInstantAtItsTimeFollowsTheOverlapPolicy(row: Row) {
        #expect(arrival(.onTime, row) == row.expected)
    }

    @Test(arguments: OverlapPolicy.allCases)
    func whatIsAskedForOrIsToRunInAnyCaseIsNeverSkipped(overlap: OverlapPolicy) {
        let row = Row(overlap, 1, 1, .inLine)
        let expected: Admission.Arrival = overlap == .allow ? .beside : .inLine
        #expect(arrival(.requested, row) == expected)
        #expect(arrival(.oneOfAll, row) == expected)
        #expect(arrival(.furtherAttempt, row) == .beside)
    }

    private func arrival(_ cause: Admission.Cause, _ row: Row) -> Admission.Arrival {
        Admission.arrival(
            of: cause, policies: TaskPolicies(overlap: row.overlap), open: row.open,
            waiting: row.waiting)
    }

    struct Busy: Sendable {
        let cpu: Double
        let memory: Double
        let normal: Admission.Deferral?
        let idle: Admission.Deferral?
    }

    @Test(arguments: [
        Busy(cpu: 0, memory: 0, normal: nil, idle: nil),
        Busy(cpu: 20, memory: 70, normal: nil, idle: nil),
        Busy(cpu: 21, memory: 0, normal: nil, idle: .notIdle),
        Busy(cpu: 0, memory: 71, normal: nil, idle: .notIdle),
        Busy(cpu: 80, memory: 80, normal: nil, idle: .notIdle),
        Busy(cpu: 81, memory: 0, normal: .cpu, idle: .notIdle),
        Busy(cpu: 0, memory: 81, normal: .memory, idle: .notIdle),
        Busy(cpu: 99, memory: 99, normal: .cpu, idle: .notIdle),
    ])
    func aBusyMachineHoldsBack(busy: Busy) {
        let load = Admission.Load(cpu: busy.cpu, memory: busy.memory)
        let thresholds = Admission.Thresholds()
        #expect(
            Admission.gate(load, thresholds: thresholds, isIdleOnly: false) == busy.normal)
        #expect(Admission.gate(load, thresholds: thresholds, isIdleOnly: true) == busy.idle)
    }
}
