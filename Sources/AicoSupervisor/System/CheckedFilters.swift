// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox

/// The system's filters as `aico-profilec` gives them; the compiler's word is not enough.
enum CheckedFilters {
    /// Decodes and checks.
    static func decode(_ bytes: [UInt8]) throws(SupervisorError) -> SystemFilters {
        let filters: SystemFilters
        do throws(PlanError) {
            filters = try FilterCodec.decode(bytes)
        } catch {
            throw SupervisorError(
                operation: "decode", subject: "filters of the system",
                reason: .invalid("bad \(error.field) at byte \(error.offset)"))
        }
        let scheduler = FilterJudge(filters.scheduler)
        try refuse(DeniedCalls.excess(ofScheduler: scheduler), "filter of the scheduler")
        try refuse(DeniedCalls.excess(ofKeepers: FilterJudge(filters.keeper)), "filter of keepers")
        return filters
    }

    private static func refuse(
        _ excess: String?, _ subject: String
    ) throws(SupervisorError) {
        guard let excess else { return }
        throw SupervisorError(
            operation: "use", subject: subject, reason: .invalid("it \(excess)"))
    }
}
