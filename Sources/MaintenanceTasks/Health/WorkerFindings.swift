// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// Judges the workers that the scheduler's answer to `scheduler.health` lists.
enum WorkerFindings {
    static func judge(_ answer: JSONValue) -> [Finding] {
        guard let workers = answer["workers"]?.array else {
            return [.unknown("workers", "the scheduler's answer lists no workers")]
        }
        var found: [String: JSONValue] = [:]
        for worker in workers {
            guard let name = worker["name"]?.string else {
                return [.unknown("workers", "a worker in the scheduler's answer has no name")]
            }
            found[name] = worker
        }
        let shipped = WorkerID.shipped.map { judge($0.label, found.removeValue(forKey: $0.name)) }
        return shipped + found.sorted { $0.key < $1.key }.map { judge(String($0.prefix(64)), $1) }
    }

    private static func judge(_ label: String, _ worker: JSONValue?) -> Finding {
        let name = "worker.\(label)"
        guard let worker else {
            return Finding(name, .critical, "the scheduler knows no such worker")
        }
        let restarts = worker["restarts"]?.int ?? 0
        let times = restarts == 0 ? "" : ", started again \(restarts) times"
        switch worker["state"]?.string {
        case "running"?:
            return Finding(
                name, .healthy, "runs\(times)", value: Double(restarts), unit: "restarts")
        case "starting"?:
            return Finding(
                name, .degraded, "starts\(times)", value: Double(restarts), unit: "restarts")
        case let state?:
            return Finding(
                name, .critical, "is \(String(state.prefix(32)))\(times)",
                value: Double(restarts), unit: "restarts")
        case nil:
            return .unknown(name, "the scheduler's answer says no state")
        }
    }
}
