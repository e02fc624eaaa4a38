// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// One compiled filter and the means to ask it.
struct FilterBench {
    let program: [FilterInstruction]
    let table = SyscallTable.native

    /// The filter that confines tasks of a class, as the shipped profile compiles.
    init(tasksOf taskClass: TaskClass) throws {
        program = try Shipped.plan(taskClass).taskFilter
    }

    /// The filter of workers and fork servers.
    init(workersOf taskClass: TaskClass) throws {
        program = try Shipped.plan(taskClass).workerFilter
    }

    /// The filter of the scheduler.
    static func scheduler() throws -> FilterBench {
        FilterBench(program: try SchedulerFilter.compile())
    }

    /// The filter of root's keepers of grants.
    static func keeper() throws -> FilterBench { FilterBench(program: try KeeperFilter.compile()) }

    private init(program: [FilterInstruction]) { self.program = program }

    func verdict(
        number: UInt32, _ arguments: [UInt64] = [], architecture: UInt32 = SeccompCall.native
    ) throws -> Verdict {
        let call = SeccompCall(
            number: number, architecture: architecture, arguments: arguments)
        return try Verdict(BPFMachine.run(program, on: call))
    }

    func verdict(_ name: String, _ arguments: UInt64...) throws -> Verdict {
        try verdict(number: number(name), arguments)
    }

    func number(_ name: String) throws -> UInt32 {
        guard case .number(let number) = table.lookup(name) else {
            throw BPFFault(reason: "'\(name)' has no number here")
        }
        return UInt32(number)
    }
}

extension UInt64 {
    /// The same low half below a high half that the kernel does not read.
    var withHighGarbage: UInt64 { self & 0xFFFF_FFFF | 0xDEAD_BEEF << 32 }
}
