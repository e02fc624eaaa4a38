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
            guard let name = worker["class"]?.string else {
                return [.unknown("workers", "a worker in the scheduler's answer has no class")]
            }
            found[name] = worker
        }
        return TaskClass.allCases.map { judge($0.name, found[$0.name]) }
    }

    private static func judge(_ taskClass: String, _ worker: JSONValue?) -> Finding {
        let name = "worker.\(taskClass)"
        guard let worker else {
            return Finding(name, .critical, "the scheduler knows no worker of this class")
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
