// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
package import LinuxSystem

/// What a fork server tells its worker. For one attempt: `confined` or `refused` (or neither, where
/// it died or was killed before), then perhaps `denied`, and always `ended` as the last.
package enum ForkServerEvent: Sendable, Equatable {
    /// The last layer holds; the type's code runs now.
    case confined(attempt: UInt64, held: [Layer], missing: [MissingLayer])
    /// A layer did not hold; the task's code never ran.
    case refused(attempt: UInt64, layer: Layer, errno: Int32, detail: String)
    /// A system call was denied; the attempt is being killed.
    case denied(attempt: UInt64, name: String, number: Int32, arguments: [UInt64])
    /// The whole tree is gone; the status is its first process's.
    case ended(attempt: UInt64, status: WaitStatus, wall: Duration, usage: CgroupUsage)
    /// The fork server is gone: the worker must exit.
    case closed

    init?(_ report: aico_fork_report, plan: Plan) {
        let attempt = report.attempt
        switch aico_fork_report_kind(rawValue: report.kind) {
        case AICO_REPORT_CONFINED:
            self = .confined(
                attempt: attempt, held: Layer.allCases.filter { report.setup.held.contains($0) },
                missing: report.setup.missingLayers(plan: plan))
        case AICO_REPORT_REFUSED:
            let step = SandboxStep(step: report.setup.step, index: report.setup.index)
            self = .refused(
                attempt: attempt, layer: report.setup.refusedLayer, errno: report.setup.error,
                detail: step.detail(plan: plan))
        case AICO_REPORT_DENIED:
            let values = report.arguments
            self = .denied(
                attempt: attempt, name: SyscallNames.name(of: report.number),
                number: report.number,
                arguments: [values.0, values.1, values.2, values.3, values.4, values.5])
        case AICO_REPORT_ENDED:
            self = .ended(
                attempt: attempt, status: WaitStatus(report.wait_status),
                wall: .nanoseconds(Int64(clamping: report.wall_nanoseconds)),
                usage: report.usage)
        default:
            return nil
        }
    }
}

extension aico_setup_report {
    var refusedLayer: Layer { Layer(rawValue: UInt8(truncatingIfNeeded: layer)) ?? .session }

    func missingLayers(plan: Plan) -> [MissingLayer] {
        withUnsafeBytes(of: missing_error) { errors in
            withUnsafeBytes(of: missing_step) { steps in
                withUnsafeBytes(of: missing_index) { indices in
                    let errors = errors.bindMemory(to: Int32.self)
                    let steps = steps.bindMemory(to: UInt32.self)
                    let indices = indices.bindMemory(to: UInt32.self)
                    return Layer.allCases.filter { missing.contains($0) }.map { layer in
                        let place = Int(layer.rawValue)
                        return MissingLayer(
                            layer: layer, errno: errors[place],
                            detail: SandboxStep(step: steps[place], index: indices[place])
                                .detail(plan: plan))
                    }
                }
            }
        }
    }
}

extension aico_fork_report {
    var usage: CgroupUsage {
        get {
            var usage = CgroupUsage()
            usage.peakMemoryBytes = has_peak_memory != 0 ? peak_memory : nil
            usage.peakProcesses = has_peak_processes != 0 ? peak_processes : nil
            usage.userMicroseconds = user_microseconds
            usage.systemMicroseconds = system_microseconds
            usage.outOfMemoryKills = out_of_memory_kills
            usage.processLimitHits = process_limit_hits
            usage.codeMemoryRefusals = code_memory_refusals
            return usage
        }
        set {
            has_peak_memory = newValue.peakMemoryBytes == nil ? 0 : 1
            peak_memory = newValue.peakMemoryBytes ?? 0
            has_peak_processes = newValue.peakProcesses == nil ? 0 : 1
            peak_processes = newValue.peakProcesses ?? 0
            user_microseconds = newValue.userMicroseconds
            system_microseconds = newValue.systemMicroseconds
            out_of_memory_kills = newValue.outOfMemoryKills
            process_limit_hits = newValue.processLimitHits
            code_memory_refusals = newValue.codeMemoryRefusals
        }
    }
}

extension UInt32 {
    /// Whether a set of layers, as bits, has a layer.
    func contains(_ layer: Layer) -> Bool { self & 1 << UInt32(layer.rawValue) != 0 }
}
