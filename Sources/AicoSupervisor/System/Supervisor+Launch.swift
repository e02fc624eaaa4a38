// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSandbox

extension Supervisor {
    /// The scheduler's cgroup.
    static let schedulerGroup = "scheduler"

    /// What bounds a scheduler whose memory or threads grow without end.
    private static let schedulerLimits: PlanLimits = {
        var limits = PlanLimits()
        limits.memoryBytes = 512 << 20
        limits.processes = 64
        return limits
    }()

    /// A class's cgroup, as `CgroupTree.makeClass` names it.
    static func group(of taskClass: TaskClass) -> String { "class-\(taskClass.name)" }

    /// Starts the scheduler with a channel and a cgroup that no process was in before.
    func launchScheduler() {
        do {
            try tree.remove(Self.schedulerGroup)
            let leaf = try tree.makeLeaf(Self.schedulerGroup, limits: Self.schedulerLimits)
            let (ours, theirs) = try Channel.pair()
            var program = Program(
                path: "\(executables)/aico-scheduler",
                arguments: ["--bin", executables, "--profiles", profiles]
                    + (root.isEmpty ? [] : ["--root", root]),
                identity: identities.scheduler)
            program.descriptors = [theirs.number]
            program.entry = leaf.entry
            program.filter = SchedulerFilter.instructions()
            let child = try withExtendedLifetime(leaf) { try program.launch() }
            scheduler = Running(child: child, since: Monotonic.now())
            channel = ours
        } catch {
            SupervisorLog.write("\(error)")
            pending.append(.schedulerLaunchFailed(errno: Self.errno(of: error)))
        }
    }

    /// Starts a class's worker, with a class cgroup that no process was in before.
    func launchWorker(_ taskClass: TaskClass) {
        do {
            guard let checked = plans[taskClass] else { throw LaunchError.noPlan }
            try tree.remove(Self.group(of: taskClass))
            let cgroups = try tree.makeClass(taskClass.name, plan: checked.plan)
            let (words, output) = try LastWords.pipe()
            let launched = try withExtendedLifetime(output) {
                try ClassLauncher.launch(
                    plan: checked.plan, planBytes: checked.bytes,
                    endpoints: "\(root)/run/aico/class/\(taskClass.name)", cgroups: cgroups,
                    executable: "/aico/bin/aico-worker-\(taskClass.name)", arguments: [],
                    environment: ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"],
                    logDescriptor: output.number)
            }
            let child = ChildProcess(
                processID: launched.pid, descriptor: OwnedDescriptor(launched.pidfd))
            workers[taskClass] = Running(child: child, since: Monotonic.now(), words: words)
            pending.append(.workerLaunched(taskClass, processID: UInt64(launched.pid)))
        } catch {
            SupervisorLog.write("cannot launch class \(taskClass.name): \(error)")
            pending.append(.workerLaunchFailed(taskClass, errno: Self.errno(of: error)))
        }
    }

    private static func errno(of error: any Error) -> Int32 {
        switch error {
        case let error as LaunchError: error.errno
        case let error as CgroupError: error.errno
        case let error as SupervisorError:
            if case .errno(let code) = error.reason { code } else { EINVAL }
        default: EINVAL
        }
    }
}

extension LaunchError {
    fileprivate static let noPlan = LaunchError(layer: .session, errno: ENOENT, detail: "plan")
}
