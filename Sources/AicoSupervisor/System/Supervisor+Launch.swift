// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import Glibc
import LinuxSandbox
import LinuxSystem
import SystemPackage

extension Supervisor {
    /// The scheduler's cgroup.
    static let schedulerGroup = "scheduler"

    /// How long the loop waits for what was killed; the launch is tried again after its back-off.
    private static let removalPatience = Duration.milliseconds(500)
    /// How long a launch waits for what was killed of its worker before.
    static let leavePatience = Duration.milliseconds(500)

    /// What bounds a scheduler whose memory or threads grow without end.
    private static let schedulerLimits: PlanLimits = {
        var limits = PlanLimits()
        limits.memoryBytes = 512 << 20
        limits.processes = 64
        return limits
    }()

    /// A worker's cgroup, as `CgroupTree.makeWorker` names it.
    static func group(of workerID: WorkerID) -> String {
        CgroupTree.group(of: workerID.name, in: workerID.taskClass.name)
    }

    /// Starts the scheduler with a channel and a cgroup that no process was in before.
    func launchScheduler() {
        do {
            try tree.remove(Self.schedulerGroup, patience: Self.removalPatience)
            let leaf = try tree.makeLeaf(Self.schedulerGroup, limits: Self.schedulerLimits)
            let words = try LastWords()
            let pair: MessageSocket.Pair
            do throws(Errno) {
                pair = try MessageSocket.Pair()
            } catch {
                throw SupervisorError(
                    operation: "make", subject: "supervisor channel", reason: .errno(error))
            }
            let ours = Channel(pair.ours)
            let theirs = pair.theirs
            var program = Program(
                path: "\(executables)/aico-scheduler",
                arguments: ["--bin", executables, "--profiles", profiles]
                    + (root.isEmpty ? [] : ["--root", root])
                    + schedulerWords,
                identity: identities.scheduler)
            program.descriptors = [theirs.descriptor.number, descriptions.number]
            program.output = words.output
            program.errors = words.output
            program.entry = leaf.entry
            program.filter = filters.scheduler
            let child = try withExtendedLifetime(leaf) { try program.launch(by: privilege) }
            theirs.close()
            words.closeOutput()
            scheduler = Running(child: child, since: Clock.monotonic, words: words)
            channel = ours
        } catch {
            SupervisorLog.write("cannot launch the scheduler: \(error)")
            leave((error as? LaunchError)?.left, of: nil)
            pending.append(.schedulerLaunchFailed(errno: Self.errno(of: error)))
        }
    }

    /// Starts a worker, with a cgroup that no process was in before.
    func launchWorker(_ workerID: WorkerID) {
        let taskClass = workerID.taskClass
        do {
            guard let checked = plans[taskClass] else { throw LaunchError.noPlan }
            if let fault = TrustedExecutable.fault(of: workerID, in: executables) {
                throw SupervisorError(
                    operation: "launch", subject: workerID.name, reason: .untrusted(fault))
            }
            guard isFree(workerID) else { throw LaunchError.hangs }
            try tree.remove(Self.group(of: workerID), patience: Self.removalPatience)
            let cgroups = try tree.makeWorker(
                workerID.name, of: taskClass.name, plan: checked.plan)
            let words = try LastWords()
            let ceiling = PlanCeiling(
                root: root, executables: executables, profiles: profiles, taskClass: taskClass)
            let launched = try privilege.start(
                WorkerLaunch(
                    plan: checked,
                    endpoints: InstanceDirectory.pipes(of: workerID).path(under: root),
                    cgroups: cgroups,
                    executable: "\(InstanceDirectory.executables.classPath)/\(workerID.name)",
                    log: words.output, modes: modes(of: taskClass),
                    permit: { mount, path in ceiling.permits(mount, at: path) },
                    keeperFilter: filters.keeper))
            words.closeOutput()
            workers[workerID] = Running(
                child: ChildProcess(launched.process), since: Clock.monotonic,
                grants: launched.grants, words: words, cgroups: cgroups)
            lookAtDescriptors(of: workerID, on: Self.readMounts(), isInExec: true)
            pending.append(.workerLaunched(workerID, processID: UInt64(launched.pid)))
        } catch {
            SupervisorLog.write("cannot launch \(Self.subject(of: workerID)): \(error)")
            leave((error as? LaunchError)?.left, of: workerID)
            pending.append(
                .workerLaunchFailed(
                    workerID, errno: Self.errno(of: error), words: Array("\(error)".utf8)))
        }
    }

    /// The class for its shipped worker, the name for any other.
    private static func subject(of workerID: WorkerID) -> String {
        workerID.isShipped ? "class \(workerID.label)" : "worker \(workerID.label)"
    }

    /// Ends a worker that, or whose fork server, holds a descriptor of the host's, and says which.
    func lookAtDescriptors(
        of workerID: WorkerID, on mounts: Result<HostDescriptors.Mounts, SystemError>,
        isInExec: Bool = false
    ) {
        guard let worker = workers[workerID], worker.fault == nil, let cgroups = worker.cgroups
        else { return }
        let fault: String
        do {
            // Into its cgroup it came by the launch, and its fork server by being its child.
            let findings = try cgroups.worker.processes().flatMap { process in
                try HostDescriptors.find(
                    in: process, on: mounts.get(), sparing: cgroups.descriptors, isInExec: isInExec)
            }
            workers[workerID]?.missedLooks.forget()
            if findings.isEmpty { return }
            fault = Set(findings.map(\.description)).sorted().joined(separator: ", ")
        } catch {
            guard workers[workerID]?.missedLooks.isEnough(with: error) == true else { return }
            fault = "cannot look at its descriptors (CAP_SYS_PTRACE lets root): \(error)"
        }
        SupervisorLog.write("\(Self.subject(of: workerID)) is ended: \(fault)")
        workers[workerID]?.fault = fault
        kill(Self.group(of: workerID))
    }

    /// The mounts that `lookAtDescriptors` looks for, or why they are not known.
    static func readMounts() -> Result<HostDescriptors.Mounts, SystemError> {
        Result { () throws(SystemError) in try HostDescriptors.Mounts() }
    }

    /// The modes of the directories that a class owns.
    private func modes(of taskClass: TaskClass) -> [String: UInt32] {
        let owned = Layout.entries(identities).filter { $0.user == identities[taskClass].user }
        return Dictionary(
            owned.map { ("\(root)/\($0.path)", $0.mode) }, uniquingKeysWith: { first, _ in first })
    }

    private static func errno(of error: any Error) -> Int32 {
        switch error {
        case let error as LaunchError: error.errno
        case let error as CgroupError: error.errno
        case let error as SupervisorError:
            if case .errno(let code) = error.reason { code.rawValue } else { EINVAL }
        default: EINVAL
        }
    }
}

extension LaunchError {
    fileprivate static let noPlan = LaunchError(layer: .session, errno: ENOENT, detail: "plan")
    fileprivate static let hangs = LaunchError(
        layer: .mounts, errno: EBUSY, detail: "a process of before that hangs in a granted path")
}
