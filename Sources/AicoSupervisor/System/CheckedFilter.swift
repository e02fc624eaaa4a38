// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox

/// The scheduler's filter as `aico-profilec` gives it; the compiler's word is not enough.
enum CheckedFilter {
    /// Decodes and checks.
    static func decode(_ bytes: [UInt8]) throws(SupervisorError) -> [FilterInstruction] {
        let subject = "filter of the scheduler"
        let filter: [FilterInstruction]
        do throws(PlanError) {
            filter = try FilterCodec.decode(bytes)
        } catch {
            throw SupervisorError(
                operation: "decode", subject: subject,
                reason: .invalid("bad \(error.field) at byte \(error.offset)"))
        }
        if let excess = DeniedCalls.excess(ofScheduler: FilterJudge(filter)) {
            throw SupervisorError(
                operation: "use", subject: subject, reason: .invalid("it \(excess)"))
        }
        return filter
    }
}
