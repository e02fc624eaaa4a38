// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import LinuxSandbox

/// Which orders a worker takes, and within what bounds.
enum RunLimits {
    /// The longest time from a cancel order to the kill.
    static let longestGrace = Duration.seconds(300)

    /// What becomes of an order.
    enum Admission: Equatable {
        /// It runs with these capability bits.
        case admitted(capabilities: UInt64)
        /// No process is made now or later; the words say why.
        case refused(String)
        /// No process is made now, for want of a place.
        case full(String)
    }

    /// The longest that the class's profile lets an attempt take; nil where it sets no limit.
    static func wallLimit(of plan: Plan) -> Duration? {
        let seconds = plan.attemptLimits.wallSeconds
        return seconds > 0 ? .seconds(Int64(seconds)) : nil
    }

    /// Holds an order's times to what the class's profile permits.
    static func clamp(_ order: AttemptOrder, to plan: Plan) -> AttemptOrder {
        var order = order
        if let wall = wallLimit(of: plan) { order.timeout = min(order.timeout, wall) }
        order.grace = min(order.grace, longestGrace)
        return order
    }

    /// Decides about an order while `running` attempts run.
    static func admit(
        _ order: AttemptOrder, types: [String: any ScheduledTask.Type], plan: Plan, running: Int
    ) -> Admission {
        let isCanary = TaskClass(rawValue: plan.classIndex)?.canaryType == order.taskType
        let type = types[order.taskType]
        guard isCanary || type != nil else {
            let hint = NearestWord.find(order.taskType, in: types.keys.sorted())
                .map { "; did you mean \"\($0)\"?" }
            return .refused("this worker has no type \"\(order.taskType)\"\(hint ?? "")")
        }
        guard running < Int(plan.concurrency) else {
            return .full("the class runs \(running) attempts already, its profile's limit")
        }
        // The canary is in no list of types, and has nothing beside its class's sandbox.
        guard let type else { return .admitted(capabilities: 0) }
        let missing = type.capabilities.filter { plan.hostCapabilities & $0.bit == 0 }
        guard missing.isEmpty else {
            let names = missing.map(\.name).joined(separator: ", ")
            return .refused("the class's profile does not grant \(names) to \"\(type.id)\"")
        }
        return .admitted(capabilities: type.capabilities.reduce(0) { $0 | $1.bit })
    }
}
