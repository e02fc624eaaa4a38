// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension InstanceDirectory {
    /// Every directory of ours but those of workers' pipes, parents first.
    package static let all =
        shared + TaskClass.allCases.map { files(of: $0) }

    /// Those that no class has for itself. setgid: files that the scheduler makes are its reader's
    /// by group.
    private static let shared: [InstanceDirectory] = [
        .init("configuration", "etc/aico"),
        .init("state", "var/lib/aico"),
        .init(
            "store", "var/lib/aico/store", .scheduler, .maintenance, 0o2770,
            writers: [.maintenance]),
        .init("keys", "var/lib/aico/keys", .scheduler, .security, 0o2750, readers: [.security]),
        .init("clients", "var/lib/aico/keys/clients", .scheduler, .security, 0o2750),
        .init(
            "integrity", "var/lib/aico/integrity", .scheduler, .security, 0o2750,
            readers: [.security]),
        .init("learning", "var/lib/aico/learning", .agency, .agency, 0o750, writers: [.agency]),
        .init("memory", "var/lib/aico/memory", .agency, .agency, 0o750, writers: [.agency]),
        .init("interactions", "var/lib/aico/memory/interactions", .agency, .agency, 0o750),
        .init("work", "var/lib/aico/work", .user, .user, 0o750, writers: [.user]),
        .init(
            "logs", "var/log/aico", .scheduler, .maintenance, 0o2770, writers: [.maintenance]),
        .init("runtime", "run/aico"),
        .init("bin", "run/aico/bin", readers: [.security]),
        .init("profiles", "run/aico/sandbox-profiles", readers: [.security]),
        // The client key file in it is for health checks.
        .init(
            "bus", "run/aico/bus", .scheduler, .maintenance, 0o2755, readers: [.maintenance]),
        // Closed to a class's group: what a set-group-id program that a task left on the host
        // lends, must not be the way to its worker's sockets.
        .init("pipes", "run/aico/worker", .root, .scheduler, 0o750),
        .init("files", "run/aico/etc"),
    ]

    /// What overrides the defaults.
    package static let configuration = row("configuration")
    /// What must outlive a restart.
    package static let state = row("state")
    /// The database.
    package static let store = row("store")
    /// The master key and the bus's keys.
    package static let keys = row("keys")
    /// Key files of the bus's clients.
    package static let clientKeys = row("clients")
    /// What executables and profiles looked like at start.
    package static let integrity = row("integrity")
    /// Log files.
    package static let logs = row("logs")
    /// What must not outlive a restart.
    package static let runtime = row("runtime")
    /// Where the executables are shown to all users of the system.
    package static let executables = row("bin")
    /// Where the profiles are shown to all users of the system.
    package static let profiles = row("profiles")
    /// The bus's sockets.
    package static let bus = row("bus")

    /// Where the sockets of all workers are.
    package static let workerPipes = row("pipes")

    /// The two sockets between the scheduler and a worker.
    package static func pipes(of worker: WorkerID) -> InstanceDirectory {
        InstanceDirectory(
            "pipes-\(worker.number)", "\(workerPipes.path)/\(worker.number)", .scheduler,
            .taskClass(worker.taskClass), 0o2750)
    }

    /// The files in which the programs of a class find themselves: passwd, group and hosts.
    package static func files(of taskClass: TaskClass) -> InstanceDirectory {
        InstanceDirectory("\(taskClass.name)-files", "run/aico/etc/\(taskClass.name)")
    }

    private static func row(_ name: String) -> InstanceDirectory {
        guard let row = shared.first(where: { $0.name == name }) else {
            preconditionFailure("the table of directories has no '\(name)'")
        }
        return row
    }
}
