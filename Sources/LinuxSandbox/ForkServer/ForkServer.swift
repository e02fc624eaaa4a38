// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// The worker's end of its fork server: the single-threaded process that makes task processes.
///
/// One thread uses it. `descriptor` turns readable when `receive` has something to give.
public final class ForkServer {
    /// A pollable descriptor.
    public let descriptor: Int32
    private let plan: Plan

    private init(descriptor: Int32, plan: Plan) {
        self.descriptor = descriptor
        self.plan = plan
    }

    deinit { close(descriptor) }

    /// Splits the fork server off and gives up the worker's capabilities; returns in the worker.
    ///
    /// The caller has one thread and no ZeroMQ context yet. The fork server takes over the cgroup
    /// descriptors; the worker's copies are closed.
    ///
    /// - Parameters:
    ///   - firstCgroupDescriptor: the first of the descriptors that the launch put there.
    ///   - rehearse: runs in the fork server before its first order; must leave one thread.
    ///   - task: runs in every task process after its last layer: descriptor 3 is its task socket
    ///     (close-on-exec), 0 to 2 are /dev/null, nothing else is open.
    /// - Throws: what kept the fork server from starting; no process is left then.
    public static func split(
        plan: Plan,
        firstCgroupDescriptor: Int32 = InheritedCgroups.firstDescriptor,
        rehearse: () -> Void = {},
        task: (Int32) -> Never
    ) throws(SandboxError) -> ForkServer {
        let threads = aico_thread_count()
        guard threads == 1 else {
            throw SandboxError(
                operation: "split a process of \(threads) threads",
                errno: threads < 0 ? errno : EBUSY)
        }
        let classHasNamespaces = getpid() == 1
        var worker: Int32 = -1
        var server: Int32 = -1
        guard aico_message_pair(&worker, &server) == 0 else {
            throw SandboxError(operation: "make the fork server's socket", errno: errno)
        }
        let processID = aico_fork()
        if processID == 0 {
            close(worker)
            ForkServerProcess.run(
                plan: plan, socket: server, firstCgroupDescriptor: firstCgroupDescriptor,
                classHasNamespaces: classHasNamespaces, rehearse: rehearse, task: task)
        }
        let failure = errno
        close(server)
        guard processID > 0 else {
            close(worker)
            throw SandboxError(operation: "fork", errno: failure)
        }
        let forkServer = ForkServer(descriptor: worker, plan: plan)
        try forkServer.awaitReady(processID)
        InheritedCgroups.closeAll(first: firstCgroupDescriptor)
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
    public func spawn(
        attempt: UInt64, capabilities: UInt64, socket: Int32
    ) throws(SandboxError) {
        var order = aico_fork_order()
        order.kind = AICO_ORDER_SPAWN.rawValue
        order.attempt = attempt
        order.capabilities = capabilities
        try send(order, socket: socket, operation: "order an attempt")
    }

    /// Kills an attempt's whole tree. One that has ended is no error.
    public func kill(attempt: UInt64) throws(SandboxError) {
        var order = aico_fork_order()
        order.kind = AICO_ORDER_KILL.rawValue
        order.attempt = attempt
        try send(order, socket: -1, operation: "order a kill")
    }

    /// The next event; nil where there is none now. Never blocks.
    public func receive() throws(SandboxError) -> ForkServerEvent? {
        guard let report = try receiveReport() else { return nil }
        if report.kind == 0 { return .closed }
        guard let event = ForkServerEvent(report, plan: plan) else {
            throw SandboxError(operation: "read the fork server's report", errno: EBADMSG)
        }
        return event
    }

    private func send(
        _ order: aico_fork_order, socket: Int32, operation: String
    ) throws(SandboxError) {
        var order = order
        guard aico_message_send(descriptor, &order, MemoryLayout.size(ofValue: order), socket) == 0
        else { throw SandboxError(operation: operation, errno: errno) }
    }

    /// A report; kind 0 stands for the end.
    private func receiveReport() throws(SandboxError) -> aico_fork_report? {
        var report = aico_fork_report()
        var passed: Int32 = -1
        let result = aico_message_receive(
            descriptor, &report, MemoryLayout.size(ofValue: report), &passed)
        let code = errno
        if passed >= 0 { close(passed) }
        switch result {
        case 1: return report
        case 0: return aico_fork_report()
        default:
            if code == EAGAIN { return nil }
            if code == ECONNRESET { return aico_fork_report() }
            throw SandboxError(operation: "read the fork server's report", errno: code)
        }
    }

    private func awaitReady(_ processID: pid_t) throws(SandboxError) {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&waiting, 1, -1) < 0, errno == EINTR {}
        let report = try receiveReport() ?? aico_fork_report()
        if report.kind == AICO_REPORT_READY.rawValue { return }
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0, errno == EINTR {}
        guard report.kind == AICO_REPORT_FAILED.rawValue else {
            throw SandboxError(operation: "start the fork server", errno: EPIPE)
        }
        throw SandboxError(
            operation: "start the fork server", layer: report.setup.refusedLayer,
            errno: report.setup.error)
    }
}
