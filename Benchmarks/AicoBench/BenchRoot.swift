// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import Foundation
import Glibc
import LinuxSandbox
import SandboxProfiles

/// A temporary root with class user's plan, directories and cgroups, from which a program is
/// launched as the supervisor launches the class's worker.
final class BenchRoot {
    private static let identity = ClassIdentities.Identity(userID: 61004, groupID: 61004)

    /// Where the worker's sockets are.
    let endpoints: String
    /// What the launch makes hold; to be changed before it.
    var plan: Plan
    /// Which trees carry the limits.
    let cgroups: CgroupKind
    private let path: String
    private let tree: CgroupTree
    private var worker: LaunchedClass?

    init(_ arguments: BenchArguments) throws {
        var template = Array("/tmp/aico-bench-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw BenchError("cannot make a directory") }
        path = String(cString: made)
        chmod(path, 0o755)
        let paths = InstancePaths(
            root: path, executables: arguments.bin, profiles: arguments.profiles)
        let work = "\(path)/var/lib/aico/work"
        endpoints = InstanceDirectory.pipes(of: WorkerID.shipped(.user)).path(under: path)
        for path in [work, endpoints] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
            chown(path, Self.identity.userID, Self.identity.groupID)
        }
        plan = try ProfileCompiler.compile(
            class: .user, profilesDirectory: arguments.profiles, paths: paths,
            identities: ClassIdentities([.user: Self.identity]))
        let layout = try CgroupLayout.discover()
        cgroups = layout.kind
        tree = try CgroupTree(layout: layout, root: path, instance: "")
        try tree.create()
    }

    /// Launches an executable of this build.
    func launch(_ name: String, _ words: [String] = [], output: Int32 = 2) throws {
        worker = try ClassLauncher.launch(
            plan: plan, planBytes: PlanCodec.encode(plan), endpoints: endpoints,
            cgroups: try tree.makeWorker("bench", of: "user", plan: plan),
            executable: "/aico/bin/\(name)", arguments: words, environment: ["PATH=/usr/bin"],
            logDescriptor: output, keeperFilter: try SystemFilters.compile().keeper)
    }

    func end() {
        if let worker {
            _ = aico_pidfd_signal(worker.pidfd, SIGKILL)
            var status: Int32 = 0
            waitpid(worker.pid, &status, 0)
            close(worker.pidfd)
        }
        worker = nil
        try? tree.remove()
        try? Spawn.run(["rm", "-rf", path])
    }
}
