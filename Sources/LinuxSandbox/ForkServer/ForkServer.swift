// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// The worker's end of its fork server: the single-threaded process that makes task processes.
///
/// One thread uses it. `descriptor` turns readable when `receive` has something to give.
package final class ForkServer {
    private let socket: MessageSocket
    private let plan: Plan

    private init(socket: consuming MessageSocket, plan: Plan) {
        self.socket = socket
        self.plan = plan
    }

    /// A pollable descriptor.
    package var descriptor: Int32 { socket.descriptor.number }

    /// Splits the fork server off and gives up the worker's capabilities; returns in the worker.
    ///
    /// The caller has one thread and no ZeroMQ context yet. The fork server takes over the cgroup
    /// descriptors; the worker's copies are closed.
    ///
    /// - Parameters:
    ///   - firstCgroupDescriptor: the first of the descriptors that the launch put there.
    ///   - prewarm: runs in the fork server before its first order; must leave one thread.
    ///   - prewarmConfined: runs in a task process that was made ahead, after its last layer and
    ///     before its order comes.
    ///   - task: runs in every task process after its last layer: descriptor 3 is its task socket
    ///     (close-on-exec), 0 to 2 are /dev/null, nothing else is open.
    /// - Throws: what kept the fork server from starting; no process is left then.
    package static func split(
        plan: Plan,
        firstCgroupDescriptor: Int32 = InheritedCgroups.firstDescriptor,
        prewarm: () -> Void = {},
        prewarmConfined: @escaping () -> Void = {},
        task: (Int32) -> Never
    ) throws(SandboxError) -> ForkServer {
        let threads = aico_thread_count()
        guard threads == 1 else {
            throw SandboxError(
                operation: "split a process of \(threads) threads",
                errno: threads < 0 ? errno : EBUSY)
        }
        let classHasNamespaces = getpid() == 1
        let pair: MessageSocket.Pair
        do throws(Errno) {
            pair = try MessageSocket.Pair()
        } catch {
            throw SandboxError(
                operation: "make the fork server's socket", errno: error.rawValue)
        }
        let worker = pair.ours
        let server = pair.theirs
        let processID = aico_fork()
        if processID == 0 {
            worker.close()
            ForkServerProcess.run(
                plan: plan, socket: ForkServerSocket(server),
                firstCgroupDescriptor: firstCgroupDescriptor,
                classHasNamespaces: classHasNamespaces, prewarm: prewarm,
                prewarmConfined: prewarmConfined, task: task)
        }
        let failure = errno
        server.close()
        guard processID > 0 else { throw SandboxError(operation: "fork", errno: failure) }
        let forkServer = ForkServer(socket: worker, plan: plan)
        try forkServer.awaitReady(processID)
        InheritedCgroups.closeAll(first: firstCgroupDescriptor)
        GrantAnswers.closeAll()
        guard aico_drop_capabilities() == 0 else {
            throw SandboxError(
                operation: "give up the worker's capabilities", layer: .capabilities, errno: errno)
        }
        // Tasks of a class without a user namespace share its uid and pid namespace.
        guard aico_forbid_inspection() == 0 else {
            throw SandboxError(operation: "forbid inspection of the worker", errno: errno)
        }
        return forkServer
    }

    /// Orders an attempt; the fork server gets a copy of the task's end of the task socket.
    ///
    /// - Parameter isLenient: it begins although nobody knows what its class is shown.
    package func spawn(
        attempt: UInt64, capabilities: UInt64, socket: Int32, isLenient: Bool = false
    ) throws(SandboxError) {
        var order = aico_fork_order()
        order.lenient = isLenient ? 1 : 0
        order.kind = AICO_ORDER_SPAWN.rawValue
        order.attempt = attempt
        order.capabilities = capabilities
        try send(order, socket: socket, operation: "order an attempt")
    }

    /// Kills an attempt's whole tree. One that has ended is no error.
    package func kill(attempt: UInt64) throws(SandboxError) {
        var order = aico_fork_order()
        order.kind = AICO_ORDER_KILL.rawValue
        order.attempt = attempt
        try send(order, socket: -1, operation: "order a kill")
    }

    /// The next event; nil where there is none now. Never blocks.
    package func receive() throws(SandboxError) -> ForkServerEvent? {
        guard let report = try receiveReport() else { return nil }
        if report.kind == 0 { return .closed }
        guard let event = ForkServerEvent(report, plan: plan) else {
            throw SandboxError(operation: "read the fork server's report", errno: EBADMSG)
        }
        return event
    }

    private func send(
        _ order: aico_fork_order, socket passed: Int32, operation: String
    ) throws(SandboxError) {
        do throws(Errno) {
            try socket.send(value: order, passing: passed >= 0 ? [passed] : [])
        } catch {
            throw SandboxError(operation: operation, errno: error.rawValue)
        }
    }

    /// A report; kind 0 stands for the end.
    private func receiveReport() throws(SandboxError) -> aico_fork_report? {
        var report = aico_fork_report()
        do throws(Errno) {
            switch try socket.receive(into: &report) {
            case .message: return report
            case .nothing: return nil
            case .closed: return aico_fork_report()
            default: throw .badMessage
            }
        } catch {
            throw SandboxError(
                operation: "read the fork server's report", errno: error.rawValue)
        }
    }

    private func awaitReady(_ processID: pid_t) throws(SandboxError) {
        var waiting = PollSet()
        waiting.add(descriptor)
        _ = try? waiting.wait(for: nil)
        let report = try receiveReport() ?? aico_fork_report()
        if report.kind == AICO_REPORT_READY.rawValue { return }
        _ = try? WaitStatus.take(processID, isPatient: true)
        guard report.kind == AICO_REPORT_FAILED.rawValue else {
            throw SandboxError(operation: "start the fork server", errno: EPIPE)
        }
        throw SandboxError(
            operation: "start the fork server", layer: report.setup.refusedLayer,
            errno: report.setup.error)
    }
}
