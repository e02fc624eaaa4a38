// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import Foundation
import Glibc
import LinuxSandbox
import SandboxProfiles
import ZeroMQ

/// Class user with the benchmark's worker, launched as the supervisor launches it; this process
/// stands in for the scheduler at the other end of its pipes.
final class BenchClass {
    private let root: String
    private let tree: CgroupTree
    private let worker: LaunchedClass
    private let context: ZMQContext
    private let orders: ZMQSocket
    private let reports: ZMQSocket
    private var nextAttempt: UInt64 = 1

    init(_ arguments: BenchArguments) throws {
        var template = Array("/tmp/aico-bench-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw BenchError("cannot make a directory") }
        root = String(cString: made)
        chmod(root, 0o755)
        let paths = InstancePaths(
            root: root, executables: arguments.bin, profiles: arguments.profiles)
        let work = "\(root)/var/lib/aico/work"
        let endpoints = InstanceDirectory.pipes(of: WorkerID.shipped(.user)).path(under: root)
        for path in [work, endpoints] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }
        let identity = ClassIdentities.Identity(userID: 61004, groupID: 61004)
        for path in [work, endpoints] { chown(path, 61004, 61004) }
        let plan = try ProfileCompiler.compile(
            class: .user, profilesDirectory: arguments.profiles, paths: paths,
            identities: ClassIdentities([.user: identity]))
        context = try ZMQContext()
        orders = try ZMQSocket(.push, in: context)
        reports = try ZMQSocket(.pull, in: context)
        try orders.bind("ipc://\(endpoints)/orders")
        try reports.bind("ipc://\(endpoints)/reports")
        for name in ["orders", "reports"] { chmod("\(endpoints)/\(name)", 0o777) }
        tree = try CgroupTree(layout: try CgroupLayout.discover(), root: root, instance: "")
        try tree.create()
        worker = try ClassLauncher.launch(
            plan: plan, planBytes: PlanCodec.encode(plan), endpoints: endpoints,
            cgroups: try tree.makeWorker("bench", of: "user", plan: plan),
            executable: "/aico/bin/aico-bench-worker", arguments: [],
            environment: ["PATH=/usr/bin"], logDescriptor: 2)
        guard case .hello = try nextReport() else { throw BenchError("the worker said no hello") }
    }

    /// One attempt: order in, all layers, report out.
    func attempt() throws {
        let key = AttemptKey(nextAttempt)
        nextAttempt += 1
        let order = AttemptOrder(
            attempt: key, executionID: "00000000-0000-4000-8000-000000000000",
            taskID: "user.nothing", taskType: "user.nothing", attemptNumber: 1,
            occurrence: Instant(seconds: 0), timeout: .seconds(60), grace: .seconds(5),
            config: Array("{}".utf8))
        try orders.send([OrderCodec.encode(.run(order))])
        while true {
            guard case .finished(key, _, let ending) = try nextReport() else { continue }
            guard case .succeeded = ending.reply else {
                throw BenchError("the attempt ended otherwise: \(ending)")
            }
            return
        }
    }

    private func nextReport() throws -> Report {
        guard try reports.wait(for: .readable, timeout: .seconds(10)),
            let frames = try reports.receive(), let frame = frames.first
        else { throw BenchError("the worker says nothing") }
        return try ReportCodec.decode(frame)
    }

    func end() {
        _ = aico_pidfd_signal(worker.pidfd, SIGKILL)
        var status: Int32 = 0
        waitpid(worker.pid, &status, 0)
        close(worker.pidfd)
        try? tree.remove()
        try? Spawn.run(["rm", "-rf", root])
    }
}
