// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// The directories of an instance with their owners and modes; docs/privilege-separation.md says
/// who needs which.
enum Layout {
    /// One directory that the supervisor makes or checks.
    struct Entry: Equatable {
        /// Relative to the instance's root.
        var path: String
        var user: UInt32
        var group: UInt32
        var mode: UInt32
    }

    /// Directories on the way that may belong to the host: made where missing, else only checked.
    static let parents = ["etc", "var", "var/lib", "var/log", "run"]

    static let lockFile = "run/aico/supervisor.pid"

    /// Where executables and profiles are shown to all users of the system.
    static let executables = "run/aico/bin"
    static let profiles = "run/aico/sandbox-profiles"

    /// Root's own directories of the runtime directory: there before any identity is known.
    static let runtime = ["run/aico", executables, profiles].map {
        Entry(path: $0, user: 0, group: 0, mode: 0o755)
    }

    /// The directory of a worker's two pipes.
    static func pipes(of worker: WorkerID) -> String { "run/aico/worker/\(worker.number)" }

    /// Every other directory of ours, parents first.
    static func entries(
        _ identities: Identities, workers: [WorkerID] = WorkerID.shipped
    ) -> [Entry] {
        let scheduler = identities.scheduler
        func ours(_ path: String, _ mode: UInt32) -> Entry {
            Entry(path: path, user: 0, group: 0, mode: mode)
        }
        func scheduled(_ path: String, for taskClass: TaskClass, _ mode: UInt32) -> Entry {
            Entry(path: path, user: scheduler.user, group: identities[taskClass].group, mode: mode)
        }
        func owned(_ path: String, by taskClass: TaskClass) -> Entry {
            let identity = identities[taskClass]
            return Entry(path: path, user: identity.user, group: identity.group, mode: 0o750)
        }
        return [
            ours("etc/aico", 0o755), ours("var/lib/aico", 0o755),
            // setgid: files that the scheduler makes are its reader's by group.
            scheduled("var/lib/aico/store", for: .maintenance, 0o2770),
            scheduled("var/lib/aico/keys", for: .security, 0o2750),
            scheduled("var/lib/aico/keys/clients", for: .security, 0o2750),
            scheduled("var/lib/aico/integrity", for: .security, 0o2750),
            owned("var/lib/aico/learning", by: .agency),
            owned("var/lib/aico/memory", by: .agency),
            owned("var/lib/aico/memory/interactions", by: .agency),
            owned("var/lib/aico/work", by: .user),
            scheduled("var/log/aico", for: .maintenance, 0o2770),
            // The client key file in it is for health checks.
            scheduled("run/aico/bus", for: .maintenance, 0o2755),
            // Closed to a class's group: what a set-group-id program that a task left on the host
            // lends, must not be the way to its worker's sockets.
            Entry(path: "run/aico/worker", user: 0, group: scheduler.group, mode: 0o750),
            ours("run/aico/etc", 0o755),
        ]
            + TaskClass.allCases.map { ours("run/aico/etc/\($0.name)", 0o755) }
            + workers.map { scheduled(pipes(of: $0), for: $0.taskClass, 0o2750) }
    }
}
