// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Launches a worker of a class under its plan: the supervisor's one privileged act.
///
/// The caller is root and single-threaded. All confinement happens in `launch_child.c`.
package enum ClassLauncher {
    /// CAP_SETPCAP and CAP_SYS_ADMIN of linux/capability.h.
    private static let narrowBoundingSet: UInt64 = 1 << 8
    private static let administerNamespaces: UInt64 = 1 << 21

    /// Has the loader look up all functions before main (ld.so(8)): else every task process would
    /// do so anew for each function that it is the first to call.
    private static let bindAtOnce = "LD_BIND_NOW=1"

    /// What a worker keeps through its exec for the fork server that it splits off.
    ///
    /// In a user namespace: to make namespaces and mounts for attempts, over nothing of the host.
    /// Elsewhere: what the profile names, to be given to the types that declare it. Everywhere
    /// SETPCAP, by which an attempt empties its bounding set.
    static func forkServerCapabilities(_ plan: Plan) -> UInt64 {
        plan.hasUserNamespace
            ? administerNamespaces | narrowBoundingSet
            : plan.hostCapabilities | narrowBoundingSet
    }

    /// Starts `executable` of the class root as the class's worker and waits until it runs.
    ///
    /// - Parameters:
    ///   - planBytes: the plan as encoded; the worker finds it on descriptor 3.
    ///   - endpoints: the directory of the worker's order and report sockets; the worker finds it on
    ///     descriptor 4, and its tasks nowhere: they share its uid, and Landlock has no right that
    ///     would keep them from connecting by a path.
    ///   - cgroups: the worker's subtree; its directories are the worker's descriptors from 7 on.
    ///   - logDescriptor: becomes the worker's standard output and standard error.
    ///   - patience: the longest time up to its exec.
    ///   - modes: of directories that the class owns and is shown, by their paths: what a task makes
    ///     of one is undone before the next attempt.
    ///   - permit: whether the class may be shown what the links of a grant lead to.
    ///   - keeperFilter: which calls the keeper of its grants may make.
    /// - Throws: the layer that the kernel refused, `ETIMEDOUT` where it took too long; no process is
    ///   left then but the error's `left`.
    package static func launch(
        plan: Plan, planBytes: [UInt8], endpoints: String, cgroups: WorkerCgroups,
        executable: String, arguments: [String], environment: [String], logDescriptor: Int32,
        patience: Duration = Launch.patience, modes: [String: UInt32] = [:],
        permitting permit: @escaping GrantKeeper.Permit = { _, _ in true },
        keeperFilter: [FilterInstruction]
    ) throws(LaunchError) -> LaunchedClass {
        guard plan.userID != 0, plan.groupID != 0, !plan.workerFilter.isEmpty,
            !keeperFilter.isEmpty
        else {
            throw LaunchError(layer: .identity, errno: EINVAL, detail: "the plan names root")
        }
        let memory = try telling("plan") { () throws(Errno) in
            try Descriptor(.open) { aico_sealed_memfd("plan", planBytes, planBytes.count) }
        }
        let sockets = try telling(endpoints) { () throws(Errno) in
            try Descriptor(.open) { aico_detached_directory(endpoints) }
        }
        let ends = try telling("grants") { () throws(Errno) in try GrantKeeper.Ends() }
        var launch = Launch(
            path: executable, arguments: arguments, environment: environment + [Self.bindAtOnce],
            userID: plan.userID, groupID: plan.groupID)
        launch.groups = plan.supplementaryGroups
        launch.capabilities = forkServerCapabilities(plan)
        launch.entry = cgroups.worker.entry
        launch.descriptors =
            [
                memory.number, sockets.number, ends.theirs.descriptor.number,
                ends.pageDescriptor.number,
            ]
            + cgroups.descriptors
        launch.output = logDescriptor
        launch.errors = logDescriptor
        launch.filter = plan.workerFilter
        launch.patience = patience
        let process = try launch.start(
            as: Launch.ClassRecipe(
                hasUserNamespace: plan.hasUserNamespace, openFiles: openFiles(plan),
                mounts: plan.mounts))
        do throws(Errno) {
            return LaunchedClass(
                process: process,
                grants: try GrantKeeper(
                    plan: plan, modes: modes, permit: permit, filter: keeperFilter, ends: ends,
                    worker: process.pid))
        } catch {
            // It has ended already.
            if error.isMissing { return LaunchedClass(process: process, grants: nil) }
            var failure = LaunchError(layer: .mounts, errno: error.rawValue, detail: "grants")
            Pidfd.kill(process.pidfd)
            failure.left = process
            throw failure
        }
    }

    private static func telling<Value: ~Copyable>(
        _ detail: String, _ body: () throws(Errno) -> Value
    ) throws(LaunchError) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw LaunchError(layer: .descriptors, errno: error.rawValue, detail: detail)
        }
    }

    /// RLIMIT_NOFILE of worker and fork server: far above an attempt's.
    ///
    /// It bounds the descriptors that all processes of the class's uid have in flight at the moment
    /// when one of these two sends another (unix(7), ETOOMANYREFS); tasks can have as many in
    /// flight as their own limit, and some hundreds for each that sends at the same time.
    private static func openFiles(_ plan: Plan) -> UInt64 {
        let wanted = max(16_384, 2 * UInt64(plan.attemptLimits.openFiles))
        var own = rlimit()
        guard getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &own) == 0 else {
            return wanted
        }
        return min(wanted, UInt64(own.rlim_max))
    }
}

/// A worker that runs, and with it the keeper of its class's grants.
package struct LaunchedClass {
    /// The worker.
    package var process: LaunchedProcess
    /// Ends with this object; nil where the worker had ended before it could be made.
    package var grants: GrantKeeper?
    /// The worker's process id on the host.
    package var pid: Int32 { process.pid }
    /// The worker's pidfd; the caller closes it.
    package var pidfd: Int32 { process.pidfd }
}
