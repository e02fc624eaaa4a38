// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// The table of directories with the numbers of one instance.
enum Layout {
    /// One directory that the supervisor makes or checks.
    struct Entry: Equatable {
        /// Relative to the instance's root.
        var path: String
        var user: UInt32
        var group: UInt32
        var mode: UInt32
    }

    static let lockFile = "\(InstanceDirectory.runtime.path)/supervisor.pid"

    /// Directories on the way that may belong to the host: made where missing, else only checked.
    static let parents: [String] = {
        let ours = InstanceDirectory.all.map(\.path)
        var parents: [String] = []
        for path in ours {
            let parts = path.split(separator: "/")
            for count in 1..<parts.count {
                let parent = parts[..<count].joined(separator: "/")
                if !parents.contains(parent), !ours.contains(parent) { parents.append(parent) }
            }
        }
        return parents
    }()

    private static let early: [InstanceDirectory] = [.runtime, .executables, .profiles]

    /// Root's own directories of the runtime directory: there before any identity is known.
    static let runtime = early.map { Entry(path: $0.path, user: 0, group: 0, mode: $0.mode) }

    /// Every other directory of ours, parents first.
    static func entries(
        _ identities: Identities, workers: [WorkerID] = WorkerID.shipped
    ) -> [Entry] {
        (InstanceDirectory.all + workers.map { .pipes(of: $0) })
            .filter { !early.contains($0) }.map {
                Entry(
                    path: $0.path, user: identities[$0.owner].user,
                    group: identities[$0.group].group, mode: $0.mode)
            }
    }
}
