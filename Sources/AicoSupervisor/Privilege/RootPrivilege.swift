// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSandbox
import LinuxSystem

/// Root's rights: users of the host's, a mount namespace and cgroups at the top of the hierarchy.
struct RootPrivilege: Privilege {
    var lack: String? {
        geteuid() == 0
            ? nil : "it confines other processes and must run as root: use sudo"
    }

    let trustedOwners: Set<UInt32> = [0]

    func identities(from compiler: Compiler) throws(SupervisorError) -> Identities {
        try compiler.identities(as: .unknown)
    }

    func show(
        executables: String, profiles: String, root: String
    ) throws(SupervisorError) -> (executables: String, profiles: String) {
        try ExecutableMounts.show(executables: executables, profiles: profiles, root: root)
    }

    func give(_ directory: borrowing Directory, to entry: Layout.Entry) throws(SystemError) {
        try directory.descriptor.changeOwner(
            user: entry.user, group: entry.group, of: directory.path)
        try directory.descriptor.changeMode(entry.mode, of: directory.path)
    }

    func takeCgroups(root: String, instance: String) throws -> CgroupTree {
        let tree = try CgroupTree(
            layout: try CgroupLayout.discover(), root: root, instance: instance)
        do throws(CgroupError) {
            try tree.create()
        } catch {
            guard error.operation == "take", error.errno == EBUSY else { throw error }
            let file = "\(InstanceDirectory.state.path(under: root))/instance"
            throw SupervisorError(
                operation: "take", subject: error.subject,
                reason: .invalid(
                    "another aico-supervisor has this cgroup; where this root is a copy of its, "
                        + "remove '\(file)' and start again"))
        }
        return tree
    }

    func start(_ program: Launch) throws(LaunchError) -> LaunchedProcess { try program.start() }

    func start(_ worker: WorkerLaunch) throws(LaunchError) -> LaunchedClass {
        try ClassLauncher.launch(
            plan: worker.plan.plan, planBytes: worker.plan.bytes, endpoints: worker.endpoints,
            cgroups: worker.cgroups, executable: worker.executable, arguments: [],
            environment: ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"], logDescriptor: worker.log,
            modes: worker.modes, permitting: worker.permit, keeperFilter: worker.keeperFilter)
    }
}
