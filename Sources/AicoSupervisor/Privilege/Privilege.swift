// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import LinuxSystem

/// The rights that a system is set up by: whose its users, namespaces, cgroups and directories are
/// is asked here, and nowhere else.
///
/// `RootPrivilege` is the one that there is. What is checked of a plan, a path or a message does not
/// depend on it.
protocol Privilege: Sendable {
    /// What this process lacks, in words for whoever started it; nil where nothing.
    var lack: String? { get }

    /// Whose directories may stand above the system's own.
    var trustedOwners: Set<UInt32> { get }

    /// Finds out who the users of the system are.
    func identities(from compiler: Compiler) throws(SupervisorError) -> Identities

    /// Shows executables and profiles where all users of the system reach them; gives these places.
    func show(
        executables: String, profiles: String, root: String
    ) throws(SupervisorError) -> (executables: String, profiles: String)

    /// Gives a directory of the layout, which is trusted by now, to its users.
    func give(_ directory: borrowing Directory, to entry: Layout.Entry) throws(SystemError)

    /// Takes the cgroup below which all others of the system are made.
    func takeCgroups(root: String, instance: String) throws -> CgroupTree

    /// Starts a program that holds nothing.
    func start(_ program: Launch) throws(LaunchError) -> LaunchedProcess

    /// Starts a class's worker in its namespaces and root.
    func start(_ worker: WorkerLaunch) throws(LaunchError) -> LaunchedClass
}
