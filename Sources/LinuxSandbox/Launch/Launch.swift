// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem

/// A process to be launched: what the recipe of a program and that of a class share.
///
/// The caller is root and single-threaded. All confinement happens in `launch_child.c`.
package struct Launch {
    /// The executable, which is its own first word.
    package var path: String
    /// The words after it.
    package var arguments: [String]
    /// All that it finds in its environment.
    package var environment: [String]
    /// Whose it is; never root's.
    package var userID: UInt32
    /// Its group; never root's.
    package var groupID: UInt32
    /// Its other groups.
    package var groups: [UInt32] = []
    /// What it keeps through its exec.
    package var capabilities: UInt64 = 0
    /// The cgroups that it begins in; nil for the caller's.
    package var entry: CgroupEntry?
    /// Become 3, 4, ...
    package var descriptors: [Int32] = []
    /// Becomes standard output; nil keeps the caller's.
    package var output: Int32?
    /// Becomes standard error; nil keeps the caller's.
    package var errors: Int32?
    /// Installed before its exec; empty for none.
    package var filter: [FilterInstruction] = []
    /// Whether it has pid, ipc and network namespaces of its own; what it forks ends with it then.
    package var isAlone = false
    /// The longest time up to its exec.
    package var patience = Self.patience

    /// How long that may be, unless said otherwise: what is read can lie where nothing answers.
    package static let patience = Duration.seconds(10)

    /// Makes one that keeps nothing of the caller's but its standard output and error.
    package init(
        path: String, arguments: [String], environment: [String], userID: UInt32, groupID: UInt32
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.userID = userID
        self.groupID = groupID
    }

    /// What the recipe of a class adds.
    struct ClassRecipe {
        var hasUserNamespace: Bool
        /// RLIMIT_NOFILE.
        var openFiles: UInt64
        var mounts: [PlanMount]
    }

    /// Starts a program in the caller's namespaces and waits until it runs.
    ///
    /// - Throws: the layer that the kernel refused, `ETIMEDOUT` where it took too long; no process is
    ///   left then but the error's `left`.
    package func start() throws(LaunchError) -> LaunchedProcess { try start(as: nil) }

    /// The same by the recipe of a class.
    func start(as recipe: ClassRecipe?) throws(LaunchError) -> LaunchedProcess {
        let texts = CTexts()
        let arrays = CArrays()
        var launch = aico_launch()
        launch.path = texts.add(path)
        launch.argv = arrays.add(texts.vector([path] + arguments))
        launch.envp = arrays.add(texts.vector(environment))
        launch.uid = userID
        launch.gid = groupID
        launch.groups = arrays.add(groups)
        launch.group_count = groups.count
        launch.capabilities = capabilities
        launch.is_alone = isAlone ? 1 : 0
        launch.cgroup_fd = entry?.cloneDescriptor ?? -1
        let joins = entry?.joinDescriptors ?? []
        launch.join_fds = arrays.add(joins)
        launch.join_count = joins.count
        launch.fds = arrays.add(descriptors)
        launch.fd_count = descriptors.count
        launch.output_fd = output ?? -1
        launch.errors_fd = errors ?? -1
        launch.filter = UnsafeRawPointer(arrays.add(filter))
        launch.filter_count = UInt16(filter.count)
        launch.patience_milliseconds = patience.pollMilliseconds
        launch.recipe = arrays.add(recipe.map { [$0.inC(texts, arrays)] } ?? [])
        var pidfd: Int32 = -1
        var failure = aico_launch_failure()
        let pid = withExtendedLifetime((texts, arrays)) { aico_launch(&launch, &pidfd, &failure) }
        guard pid > 0 else {
            var error = LaunchError(failure, mounts: recipe?.mounts ?? [], executable: path)
            if failure.left > 0 { error.left = LaunchedProcess(pid: failure.left, pidfd: pidfd) }
            throw error
        }
        return LaunchedProcess(pid: pid, pidfd: pidfd)
    }
}

extension Launch.ClassRecipe {
    fileprivate func inC(_ texts: CTexts, _ arrays: CArrays) -> aico_class {
        let mounts = mounts.map { mount in
            aico_mount(
                kind: UInt32(mount.kind.rawValue), late: mount.isLate ? 1 : 0,
                size: mount.sizeBytes, source: texts.add(mount.source),
                target: texts.add(mount.target))
        }
        return aico_class(
            host_name: texts.add("aico"), user_namespace: hasUserNamespace ? 1 : 0,
            open_files: openFiles, mounts: arrays.add(mounts), mount_count: mounts.count)
    }
}

/// A process that was launched.
package struct LaunchedProcess: Sendable, Equatable {
    /// Its process id on the host.
    package var pid: Int32
    /// Its pidfd; the caller closes it.
    package var pidfd: Int32

    /// Kills it, reaps it if it ends within a second, and closes its pidfd.
    func end() {
        Pidfd.kill(pidfd)
        var ended = PollSet()
        ended.add(pidfd)
        if (try? ended.wait(for: .seconds(1))) == 1 { _ = try? Pidfd.reap(pidfd) }
        close(pidfd)
    }
}
