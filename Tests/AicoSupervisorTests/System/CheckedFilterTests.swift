// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSandbox
import SandboxProfiles
import Testing

@testable import AicoSupervisor

/// What the supervisor accepts as the scheduler's filter.
@Suite struct CheckedFilterTests {
    private static let compiled = Result { try SandboxProfiles.SchedulerFilter.compile() }

    private func refusal(of bytes: [UInt8]) -> String? {
        do throws(SupervisorError) {
            _ = try CheckedFilter.decode(bytes)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func whatIsCompiledIsWithin() throws {
        let filter = try Self.compiled.get()
        #expect(try CheckedFilter.decode(FilterCodec.encode(filter)) == filter)
    }

    @Test func eachCallOfTheListIsDeniedWhateverTheCompilerSays() throws {
        let filter = try Self.compiled.get()
        for call in DeniedCalls.ofScheduler {
            let named = DeniedCalls.ofScheduler.first { $0.number == call.number }
            let opened = ForgedPlanTests.opening(call.number) + filter
            #expect(
                refusal(of: FilterCodec.encode(opened))
                    == "cannot use 'filter of the scheduler': it lets run \(named?.name ?? "")")
        }
        // The control: a call that is in no list.
        let harmless = ForgedPlanTests.opening(SYS_read) + filter
        #expect(refusal(of: FilterCodec.encode(harmless)) == nil)
    }

    @Test func bytesThatAreNoFilterAreRefused() throws {
        let bytes = FilterCodec.encode(try Self.compiled.get())
        for count in [0, 7, 9, 11, 12, bytes.count - 1] {
            #expect(refusal(of: Array(bytes[..<count])) != nil, "\(count)")
        }
        #expect(refusal(of: bytes + [0])?.contains("bad end") == true)
        #expect(refusal(of: FilterCodec.encode([]))?.contains("bad filter") == true)
        var other = bytes
        other[8] = 9
        #expect(refusal(of: other)?.contains("bad version") == true)
    }
}
