// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSandbox
import SandboxProfiles
import Testing

@testable import AicoSupervisor

/// What the supervisor accepts as the system's filters.
@Suite struct CheckedFiltersTests {
    private static let compiled = Result { try SystemFilters.compile() }

    private func refusal(of bytes: [UInt8]) -> String? {
        do throws(SupervisorError) {
            _ = try CheckedFilters.decode(bytes)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func whatIsCompiledIsWithin() throws {
        let filters = try Self.compiled.get()
        #expect(try CheckedFilters.decode(FilterCodec.encode(filters)) == filters)
    }

    /// One of the filters, and what it must not let run.
    enum Subject: String, CaseIterable {
        case scheduler = "filter of the scheduler"
        case keepers = "filter of keepers"

        var path: WritableKeyPath<SystemFilters, [FilterInstruction]> {
            switch self {
            case .scheduler: \.scheduler
            case .keepers: \.keeper
            }
        }
        var denied: [DeniedCalls.Call] {
            switch self {
            case .scheduler: DeniedCalls.ofScheduler
            case .keepers: DeniedCalls.ofKeepers
            }
        }
    }

    @Test(arguments: Subject.allCases)
    func eachCallOfTheListIsDeniedWhateverTheCompilerSays(subject: Subject) throws {
        let filters = try Self.compiled.get()
        for call in subject.denied {
            let named = subject.denied.first { $0.number == call.number }
            var opened = filters
            opened[keyPath: subject.path].insert(
                contentsOf: ForgedPlanTests.opening(call.number), at: 0)
            #expect(
                refusal(of: FilterCodec.encode(opened))
                    == "cannot use '\(subject.rawValue)': it lets run \(named?.name ?? "")")
        }
        // The control: a call that is in no list.
        var harmless = filters
        harmless[keyPath: subject.path].insert(contentsOf: ForgedPlanTests.opening(SYS_read), at: 0)
        #expect(refusal(of: FilterCodec.encode(harmless)) == nil)
    }

    @Test func bytesThatAreNoFiltersAreRefused() throws {
        let filters = try Self.compiled.get()
        let bytes = FilterCodec.encode(filters)
        for count in [0, 7, 9, 11, 12, bytes.count - 1] {
            #expect(refusal(of: Array(bytes[..<count])) != nil, "\(count)")
        }
        #expect(refusal(of: bytes + [0])?.contains("bad end") == true)
        #expect(
            refusal(of: FilterCodec.encode(SystemFilters(scheduler: [], keeper: filters.keeper)))?
                .contains("bad filter of the scheduler") == true)
        #expect(
            refusal(
                of: FilterCodec.encode(SystemFilters(scheduler: filters.scheduler, keeper: [])))?
                .contains("bad filter of keepers") == true)
        var other = bytes
        other[8] = 9
        #expect(refusal(of: other)?.contains("bad version") == true)
    }
}
