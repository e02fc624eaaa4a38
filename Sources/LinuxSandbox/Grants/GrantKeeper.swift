// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
package import SystemPackage

/// Root's process that shows a class what its plan grants of the host, looked up anew whenever the
/// class's fork server asks.
///
/// It alone touches a granted path: one that does not answer holds up this process, and through it
/// attempts of its class, but neither the supervisor nor another class. Whoever holds this object is
/// root and single-threaded; the process ends with it.
package final class GrantKeeper {
    /// Whether a class may be shown a mount whose links led to a path.
    package typealias Permit = (PlanMount, String) -> Bool

    /// How long a look may take before the process is killed.
    static let patience = Duration.seconds(3)

    private let plan: Plan
    private let modes: [String: UInt32]
    private let permit: Permit
    private let filter: [FilterInstruction]
    private let socket: MessageSocket
    private let page: UnsafeMutablePointer<aico_grant_page>
    private let namespace: Descriptor
    private var process: (pid: Int32, pidfd: Int32) = (0, -1)
    private var startedAt = Duration.zero

    /// What a launch gives the fork server: its end of the socket, and the page to read.
    struct Ends: ~Copyable {
        var ours: MessageSocket
        var theirs: MessageSocket
        var page: UnsafeMutablePointer<aico_grant_page>
        var pageDescriptor: Descriptor

        init() throws(Errno) {
            var memory: UnsafeMutablePointer<aico_grant_page>?
            let made = try Descriptor(.open) { aico_grant_page_make(&memory) }
            guard let memory else { throw .noMemory }
            let pair = try MessageSocket.Pair()
            page = memory
            pageDescriptor = made
            ours = pair.ours
            theirs = pair.theirs
        }
    }

    /// Starts the process for a worker that runs.
    ///
    /// - Parameter filter: which calls the process may make.
    init(
        plan: Plan, modes: [String: UInt32], permit: @escaping Permit,
        filter: [FilterInstruction], ends: consuming Ends, worker: Int32
    ) throws(Errno) {
        self.plan = plan
        self.modes = modes
        self.permit = permit
        self.filter = filter
        page = ends.page
        socket = ends.ours
        let path = "/proc/\(worker)/ns/mnt"
        // A link of the kernel's own, which leads to no path.
        namespace = try Descriptor(.open) { open(path, O_RDONLY | O_CLOEXEC) }
        try start()
    }

    /// Readable once the process has ended.
    package var descriptor: Int32 { process.pidfd }

    /// Its process; 0 where none runs.
    package var processID: Int32 { process.pid }

    /// The path that is being looked at; nil where none is.
    package var lookedAt: String? {
        let number = Int(page.pointee.looking) - 1
        return plan.mounts.indices.contains(number) ? plan.mounts[number].source : nil
    }

    /// Reaps a process that ended and makes a new one; false where its fork server had left it, which
    /// asks nobody any more.
    ///
    /// - Throws: `.timedOut` where it ended before a look's time was over: a new one would do the
    ///   same; else why no process could be made.
    package func startAgain() throws(Errno) -> Bool {
        // One that was reaped elsewhere has ended as well.
        do throws(Errno) { if try Pidfd.reap(process.pidfd) == nil { return false } } catch {}
        close(process.pidfd)
        process = (0, -1)
        guard !isLeft else { return false }
        guard Clock.monotonic - startedAt >= Self.patience else { throw .timedOut }
        try start()
        return true
    }

    /// Kills the process and gives it up; whoever gets it reaps it. Nil where none runs.
    package func end() -> LaunchedProcess? {
        guard process.pidfd >= 0 else { return nil }
        defer { process = (0, -1) }
        Pidfd.kill(process.pidfd)
        return LaunchedProcess(pid: process.pid, pidfd: process.pidfd)
    }

    deinit {
        munmap(page, MemoryLayout<aico_grant_page>.size)
        if process.pidfd >= 0 { LaunchedProcess(pid: process.pid, pidfd: process.pidfd).end() }
    }

    /// Whether the fork server's end of the socket is closed.
    private var isLeft: Bool {
        var set = PollSet()
        let end = set.add(socket.descriptor.number, [])
        _ = try? set.wait(for: .zero)
        return set[end].contains(.hangUp)
    }

    private func start() throws(Errno) {
        let pid = aico_fork()
        if pid == 0 { serve() }
        guard pid > 0 else { throw Errno(rawValue: errno) }
        let pidfd = aico_pidfd_open(pid)
        process = (pid, pidfd)
        startedAt = Clock.monotonic
    }

    // MARK: the process

    /// Reserved exit statuses, for the log of whoever wonders.
    private enum Exit {
        static let nobodyAsks: Int32 = 0
        static let cannotStart: Int32 = 71
        static let badOrder: Int32 = 76
    }

    private func serve() -> Never {
        let kept = [STDERR_FILENO, socket.descriptor.number, namespace.number].sorted()
        guard aico_grants_confine(kept, kept.count, filter, UInt16(filter.count)) == 0 else {
            _exit(Exit.cannotStart)
        }
        let texts = CTexts()
        let grants = plan.mounts.map { mount in
            aico_grant(
                kind: UInt32(mount.kind.rawValue), if_exists: mount.ifExists ? 1 : 0,
                mode: modes[mount.source] ?? 0, source: texts.add(mount.source),
                target: texts.add(mount.target))
        }
        grants.withUnsafeBufferPointer { grants in
            let state = aico_grants_make(
                grants.baseAddress, grants.count, plan.userID, namespace.number, page,
                { context, index, path in
                    guard let context, let path else { return 0 }
                    let keeper = Unmanaged<GrantKeeper>.fromOpaque(context).takeUnretainedValue()
                    return keeper.permit(keeper.plan.mounts[index], String(cString: path)) ? 1 : 0
                }, Unmanaged.passUnretained(self).toOpaque())
            guard let state else { _exit(Exit.cannotStart) }
            while true { answer(state) }
        }
        withExtendedLifetime(texts) { _exit(Exit.cannotStart) }
    }

    private func answer(_ state: OpaquePointer) {
        var order = aico_grant_order()
        var message = aico_message()
        let size = MemoryLayout<aico_grant_order>.size
        let result = aico_message_receive(
            socket.descriptor.number, &order, size, 0, 1, &message)
        guard result == 0, message.count == size else {
            _exit(result == 0 && message.count == 0 ? Exit.nobodyAsks : Exit.badOrder)
        }
        aico_grants_clock(Self.patience.pollMilliseconds)
        var answer = aico_grant_answer()
        aico_grants_look(state, &answer)
        aico_grants_clock(0)
        answer.number = order.number
        do throws(Errno) {
            try socket.send(value: answer)
        } catch {
            // A fork server that does not take an answer asks again.
            if error != .wouldBlock { _exit(Exit.nobodyAsks) }
        }
    }
}
