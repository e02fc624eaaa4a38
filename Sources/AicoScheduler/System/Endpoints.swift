// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import Glibc
import SystemPackage
import ZeroMQ

/// Where the scheduler listens, and what keeps it from doing so.
struct Endpoints {
    /// One of them.
    private struct Endpoint {
        var text: String
        /// The setting that names it, as `bus.requests`; nil where it follows from the root.
        var setting: String?
    }

    private let all: [Endpoint]
    private let layout: InstanceLayout

    init(_ configuration: Configuration, workers: [WorkerID]) {
        let layout = configuration.layout
        self.layout = layout
        let paths =
            [layout.busSocket, layout.healthSocket, layout.eventsSocket]
            + workers.flatMap {
                [layout.ordersSocket(of: $0), layout.reportsSocket(of: $0)]
            }
        let settings = [
            ("bus.requests", configuration.bus.requests), ("bus.events", configuration.bus.events),
        ]
        all =
            paths.map { Endpoint(text: "ipc://\($0)") }
            + settings.compactMap { name, endpoint in
                endpoint.map { Endpoint(text: $0.text, setting: name) }
            }
    }

    /// Whether this root's own scheduler listens already.
    var isServed: Bool {
        Listener.knock(at: "ipc://\(layout.busSocket)").process?.user == geteuid()
    }

    /// What is in the way, each as a sentence that says what to type.
    func problems() -> [SchedulerError] {
        all.compactMap { endpoint in
            BindObstacle.find(at: endpoint.text).map { problem(endpoint, $0) }
        }
    }

    private func problem(_ endpoint: Endpoint, _ obstacle: BindObstacle) -> SchedulerError {
        let path = endpoint.text.hasPrefix("ipc://") ? String(endpoint.text.dropFirst(6)) : nil
        var reason: String
        switch obstacle {
        case .listener(let processID, let user):
            let process = processID.map { "process \($0) of user \(user ?? 0)" }
            reason = "\(process ?? "another process") listens there; "
            if let processID {
                reason += "end it: kill \(processID)"
            } else if let path {
                reason += "see which one: ss -xlp src \(path)"
            } else {
                let port = endpoint.text.split(separator: ":").last ?? ""
                reason += "see which one: ss -tlnp 'sport = :\(port)'"
            }
        case .file:
            reason =
                "what lies there is no socket; move it away: mv \(path ?? "") \(path ?? "").old"
        case .refused(let code):
            reason = Errno(rawValue: code).description
        }
        if let setting = endpoint.setting {
            reason += ", or set another '\(setting)' in \(layout.configurationFile)"
        }
        return SchedulerError("listen at", path ?? endpoint.text, reason)
    }
}
