// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc

/// Runs executables with `--describe`, all at once, and collects what they print.
enum DescribeRun {
    /// What one executable gave.
    enum Answer {
        case text([UInt8])
        case failed(String)
    }

    private struct Child {
        let pid: pid_t
        let output: Int32
        var bytes: [UInt8] = []
        var failure: String?
        var isOpen = true
    }

    /// Runs them; each may take until the common deadline and print at most `limit` bytes.
    static func run(_ paths: [String], limit: Int, seconds: Int) -> [Answer] {
        var children: [Result<Child, SchedulerError>] = paths.map { path in
            Result { () throws(SchedulerError) in try start(path) }
        }
        let deadline = WallClock.uptime + .seconds(seconds)
        while collect(&children, limit: limit, deadline: deadline) {}
        return children.map { result in
            switch result {
            case .failure(let error): return .failed(error.description)
            case .success(let child): return finish(child)
            }
        }
    }

    /// Waits once and reads; false when all outputs are closed.
    private static func collect(
        _ children: inout [Result<Child, SchedulerError>], limit: Int, deadline: Duration
    ) -> Bool {
        let open = children.indices.filter { (try? children[$0].get())?.isOpen ?? false }
        guard !open.isEmpty else { return false }
        var items = open.map { index in
            pollfd(
                fd: (try? children[index].get())?.output ?? -1, events: Int16(POLLIN), revents: 0)
        }
        let left = (deadline - WallClock.uptime).wholeMicroseconds / 1000
        let count = left > 0 ? poll(&items, nfds_t(items.count), Int32(left)) : 0
        if count < 0, errno == EINTR { return true }
        for (index, item) in zip(open, items) {
            guard var child = try? children[index].get() else { continue }
            if count <= 0 {
                child.failure = "gave no description in time"
                child.isOpen = false
            } else if item.revents != 0 {
                read(&child, limit: limit)
            }
            children[index] = .success(child)
        }
        return true
    }

    private static func read(_ child: inout Child, limit: Int) {
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        let count = Glibc.read(child.output, &chunk, chunk.count)
        if count < 0, errno == EINTR { return }
        guard count > 0 else {
            child.isOpen = false
            return
        }
        child.bytes += chunk[..<count]
        if child.bytes.count > limit {
            child.failure = "describes itself in more than \(limit) bytes"
            child.isOpen = false
        }
    }

    private static func finish(_ child: Child) -> Answer {
        close(child.output)
        // Harmless to one that ended: it is not reaped yet, so its pid is its own.
        if child.failure != nil { kill(child.pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child.pid, &status, 0) < 0, errno == EINTR {}
        if let failure = child.failure { return .failed(failure) }
        guard status == 0 else { return .failed("--describe \(WaitStatusText.words(status))") }
        return .text(child.bytes)
    }

    private static func start(_ path: String) throws(SchedulerError) -> Child {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system("make pipe for", path) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), strdup("--describe"), nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("LC_ALL=C.UTF-8"), nil]
        defer { for text in arguments + environment { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, nil, &arguments, &environment)
        guard code == 0 else {
            close(ends[0])
            throw SchedulerError("run", path, String(cString: strerror(code)))
        }
        return Child(pid: pid, output: ends[0])
    }
}
