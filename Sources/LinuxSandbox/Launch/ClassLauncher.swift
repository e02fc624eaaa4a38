// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Launches the worker of a class under its plan: the supervisor's one privileged act.
///
/// The caller is root and single-threaded. All confinement happens in `class_launch.c`.
public enum ClassLauncher {
    /// CAP_SETPCAP and CAP_SYS_ADMIN of linux/capability.h.
    private static let narrowBoundingSet: UInt64 = 1 << 8
    private static let administerNamespaces: UInt64 = 1 << 21

    /// How long all up to the worker's exec may take: what it reads can lie where nothing answers.
    public static let patience = Duration.seconds(10)

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
    ///   - endpoints: the directory of the class's order and report sockets; the worker finds it on
    ///     descriptor 4, and its tasks nowhere: they share its uid, and Landlock has no right that
    ///     would keep them from connecting by a path.
    ///   - cgroups: the class's subtree; its directories are the worker's descriptors from 7 on.
    ///   - logDescriptor: becomes the worker's standard output and standard error.
    ///   - patience: the longest time up to its exec.
    ///   - modes: of directories that the class owns and is shown, by their paths: what a task makes
    ///     of one is undone before the next attempt.
    ///   - permit: whether the class may be shown what the links of a grant lead to.
    /// - Throws: the layer that the kernel refused, `ETIMEDOUT` where it took too long; no process is
    ///   left then but the error's `left`.
    public static func launch(
        plan: Plan, planBytes: [UInt8], endpoints: String, cgroups: ClassCgroups,
        executable: String, arguments: [String], environment: [String], logDescriptor: Int32,
        patience: Duration = patience, modes: [String: UInt32] = [:],
        permitting permit: @escaping GrantKeeper.Permit = { _, _ in true }
    ) throws(LaunchError) -> LaunchedClass {
        guard plan.userID != 0, plan.groupID != 0, !plan.workerFilter.isEmpty else {
            throw LaunchError(layer: .identity, errno: EINVAL, detail: "the plan names root")
        }
        let memory = aico_sealed_memfd("plan", planBytes, planBytes.count)
        guard memory >= 0 else {
            throw LaunchError(layer: .descriptors, errno: errno, detail: "plan")
        }
        defer { close(memory) }
        let sockets = aico_detached_directory(endpoints)
        guard sockets >= 0 else {
            throw LaunchError(layer: .descriptors, errno: errno, detail: endpoints)
        }
        defer { close(sockets) }
        let ends: GrantKeeper.Ends
        do throws(Errno) {
            ends = try GrantKeeper.Ends()
        } catch {
            throw LaunchError(layer: .descriptors, errno: error.rawValue, detail: "grants")
        }
        let texts = CTexts()
        var mounts = plan.mounts.map { mount in
            aico_mount(
                kind: UInt32(mount.kind.rawValue), late: mount.isLate ? 1 : 0,
                size: mount.sizeBytes, source: texts.add(mount.source),
                target: texts.add(mount.target))
        }
        var words = texts.vector([executable] + arguments)
        var variables = texts.vector(environment + [Self.bindAtOnce])
        let descriptors =
            [memory, sockets, ends.theirs.descriptor.number, ends.pageDescriptor.number]
            + cgroups.descriptors
        var launch = aico_class()
        launch.host_name = texts.add("aico")
        launch.path = texts.add(executable)
        launch.uid = plan.userID
        launch.gid = plan.groupID
        launch.user_namespace = plan.hasUserNamespace ? 1 : 0
        launch.capabilities = forkServerCapabilities(plan)
        launch.open_files = openFiles(plan)
        launch.cgroup_fd = cgroups.worker.entry.cloneDescriptor
        launch.output_fd = logDescriptor
        launch.patience_milliseconds = patience.pollMilliseconds
        var pidfd: Int32 = -1
        var failure = aico_class_failure()
        let processID = withExtendedLifetime((texts, cgroups)) {
            withArrays(
                &mounts, &words, &variables, descriptors, plan,
                cgroups.worker.entry.joinDescriptors, &launch
            ) { aico_class_launch(&$0, &pidfd, &failure) }
        }
        guard processID > 0 else {
            var error = LaunchError(failure, plan: plan, executable: executable)
            if failure.left > 0 { error.left = LaunchedProcess(pid: failure.left, pidfd: pidfd) }
            throw error
        }
        let process = LaunchedProcess(pid: processID, pidfd: pidfd)
        do throws(Errno) {
            return LaunchedClass(
                process: process,
                grants: try GrantKeeper(
                    plan: plan, modes: modes, permit: permit, ends: ends, worker: processID))
        } catch {
            // It has ended already.
            if error.isMissing { return LaunchedClass(process: process, grants: nil) }
            var failure = LaunchError(layer: .mounts, errno: error.rawValue, detail: "grants")
            _ = aico_pidfd_signal(pidfd, SIGKILL)
            failure.left = process
            throw failure
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

    /// Points a launch at arrays for the length of a call.
    private static func withArrays(
        _ mounts: inout [aico_mount], _ words: inout [UnsafeMutablePointer<CChar>?],
        _ variables: inout [UnsafeMutablePointer<CChar>?], _ descriptors: [Int32], _ plan: Plan,
        _ joins: [Int32], _ launch: inout aico_class, _ body: (inout aico_class) -> Int32
    ) -> Int32 {
        mounts.withUnsafeBufferPointer { mounts in
            words.withUnsafeMutableBufferPointer { words in
                variables.withUnsafeMutableBufferPointer { variables in
                    descriptors.withUnsafeBufferPointer { descriptors in
                        plan.supplementaryGroups.withUnsafeBufferPointer { groups in
                            plan.workerFilter.withUnsafeBytes { filter in
                                joins.withUnsafeBufferPointer { joins in
                                    launch.mounts = mounts.baseAddress
                                    launch.mount_count = mounts.count
                                    launch.argv = UnsafePointer(words.baseAddress)
                                    launch.envp = UnsafePointer(variables.baseAddress)
                                    launch.fds = descriptors.baseAddress
                                    launch.fd_count = descriptors.count
                                    launch.groups = groups.baseAddress
                                    launch.group_count = groups.count
                                    launch.join_fds = joins.baseAddress
                                    launch.join_count = joins.count
                                    launch.filter = filter.baseAddress
                                    launch.filter_count = UInt16(plan.workerFilter.count)
                                    return body(&launch)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A process that was launched.
public struct LaunchedProcess: Sendable, Equatable {
    /// Its process id on the host.
    public var pid: Int32
    /// Its pidfd; the caller closes it.
    public var pidfd: Int32

    /// Kills it, reaps it if it ends within a second, and closes its pidfd.
    func end() {
        _ = aico_pidfd_signal(pidfd, SIGKILL)
        var ended = PollSet()
        ended.add(pidfd)
        var status: Int32 = 0
        if (try? ended.wait(for: .seconds(1))) == 1 { _ = aico_pidfd_reap(pidfd, &status) }
        close(pidfd)
    }
}

/// A worker that runs, and with it the keeper of its class's grants.
public struct LaunchedClass {
    /// The worker.
    public var process: LaunchedProcess
    /// Ends with this object; nil where the worker had ended before it could be made.
    public var grants: GrantKeeper?
    /// The worker's process id on the host.
    public var pid: Int32 { process.pid }
    /// The worker's pidfd; the caller closes it.
    public var pidfd: Int32 { process.pidfd }
}

/// A worker that could not be launched.
public struct LaunchError: Error, Equatable, CustomStringConvertible {
    /// The layer that the kernel refused.
    public var layer: Layer
    /// Why.
    public var errno: Int32
    /// The mount, path or capability it was refused at; may be empty.
    public var detail: String
    /// The process, killed, that could not be reaped yet: it hangs in a call. The caller reaps it
    /// and closes its pidfd.
    public var left: LaunchedProcess?

    /// One line, as `layer mounts refused at '/srv/x': No such file or directory`.
    public var description: String {
        let place = detail.isEmpty ? "" : " at '\(detail)'"
        return "layer \(layer.name) refused\(place): \(String(cString: strerror(errno)))"
    }

    /// Makes an error.
    public init(layer: Layer, errno: Int32, detail: String) {
        self.layer = layer
        self.errno = errno
        self.detail = detail
    }

    init(_ failure: aico_class_failure, plan: Plan, executable: String) {
        layer = Layer(rawValue: UInt8(truncatingIfNeeded: failure.layer)) ?? .session
        errno = failure.error
        let index = Int(failure.index)
        if layer == .mounts, plan.mounts.indices.contains(index) {
            let mount = plan.mounts[index]
            detail = mount.source.isEmpty ? mount.target : mount.source
        } else if layer == .descriptors, index == -2 {
            detail = executable
        } else {
            detail = "step \(failure.step)"
        }
    }
}
