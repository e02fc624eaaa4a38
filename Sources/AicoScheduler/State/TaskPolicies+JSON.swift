// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

extension TaskPolicies {
    /// Reads policies; what is not said stays as in `defaults`.
    init(json: JSONValue, defaults: TaskPolicies) throws(BusRefusal) {
        let day = 86400.0
        let reader = try ObjectReader(
            json, subject: "policies",
            keys: [
                "timeout", "grace", "retry", "misfire", "catchup_window", "overlap", "jitter",
                "priority", "idle_only", "max_defer", "on_crash", "dst",
            ])
        self = defaults
        timeout = try reader.seconds("timeout", in: 0.1...(7 * day)) ?? timeout
        grace = try reader.seconds("grace", in: 0...600) ?? grace
        misfire = try reader.choice("misfire", of: MisfirePolicy.self) ?? misfire
        catchUpWindow =
            try reader.seconds("catchup_window", in: 0...(366 * day)) ?? catchUpWindow
        overlap = try reader.choice("overlap", of: OverlapPolicy.self) ?? overlap
        jitter = try reader.seconds("jitter", in: 0...day) ?? jitter
        priority = try reader.int("priority", in: -100...100) ?? priority
        idleOnly = try reader.bool("idle_only") ?? idleOnly
        maximumDefer = try reader.seconds("max_defer", in: 0...(31 * day)) ?? maximumDefer
        onCrash = try reader.choice("on_crash", of: CrashPolicy.self) ?? onCrash
        if let value = reader.value("retry") {
            retry = try RetryPolicy(json: value, defaults: retry)
        }
        if let value = reader.value("dst") {
            let inner = try ObjectReader(value, subject: "policies.dst", keys: ["gap", "overlap"])
            dst.gap = try inner.choice("gap", of: DSTPolicy.Gap.self) ?? dst.gap
            dst.overlap = try inner.choice("overlap", of: DSTPolicy.Overlap.self) ?? dst.overlap
        }
    }
}

extension RetryPolicy {
    fileprivate init(json: JSONValue, defaults: RetryPolicy) throws(BusRefusal) {
        let reader = try ObjectReader(
            json, subject: "policies.retry",
            keys: ["count", "delay", "factor", "max_delay", "jitter"])
        self = defaults
        count = try reader.int("count", in: 0...100) ?? count
        delay = try reader.seconds("delay", in: 0...86400) ?? delay
        factor = try reader.number("factor", in: 1...10) ?? factor
        maximumDelay = try reader.seconds("max_delay", in: 0...(31 * 86400)) ?? maximumDelay
        jitter = try reader.seconds("jitter", in: 0...86400) ?? jitter
    }
}

extension TaskPolicies {
    /// Writes what differs from `defaults`, so that a change of the defaults still counts.
    func json(apartFrom defaults: TaskPolicies) -> JSONValue {
        var members: [String: JSONValue] = [:]
        func put<Value: Equatable>(
            _ key: String, _ path: KeyPath<TaskPolicies, Value>, _ write: (Value) -> JSONValue
        ) {
            let value = self[keyPath: path]
            if value != defaults[keyPath: path] { members[key] = write(value) }
        }
        put("timeout", \.timeout) { $0.map { .seconds($0) } ?? .null }
        put("grace", \.grace) { .seconds($0) }
        put("misfire", \.misfire) { .string($0.rawValue) }
        put("catchup_window", \.catchUpWindow) { .seconds($0) }
        put("overlap", \.overlap) { .string($0.rawValue) }
        put("jitter", \.jitter) { .seconds($0) }
        put("priority", \.priority) { .int($0) }
        put("idle_only", \.idleOnly) { .bool($0) }
        put("max_defer", \.maximumDefer) { .seconds($0) }
        put("on_crash", \.onCrash) { .string($0.rawValue) }
        put("dst", \.dst) {
            ["gap": .string($0.gap.rawValue), "overlap": .string($0.overlap.rawValue)]
        }
        put("retry", \.retry) {
            [
                "count": .int($0.count), "delay": .seconds($0.delay),
                "factor": .double($0.factor), "max_delay": .seconds($0.maximumDelay),
                "jitter": .seconds($0.jitter),
            ]
        }
        return .object(members)
    }
}
