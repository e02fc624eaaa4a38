// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// Where this test's own programs are looked for, the compiler among them.
let environmentPath = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"

/// A program that a test starts on the host, outside of every sandbox.
final class HostProcess {
    let processID: Int32
    private let pidfd: Int32
    private var output: Int32
    private var pending: [UInt8] = []
    private(set) var lines: [String] = []
    private var status: Int32?

    /// Starts it; standard output and standard error come to `nextLine`.
    init(
        _ words: [String], environment: [String] = ["PATH=/usr/bin:/bin"], input: Int32? = nil
    ) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw HostError(step: "pipe", errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        // Whatever this test was started with: under nohup(1) a hangup would be ignored.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // A thread of a pool blocks signals that a terminal would send.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var made: pid_t = 0
        let error = posix_spawnp(&made, words[0], &actions, &attributes, &argv, &envp)
        close(ends[1])
        output = ends[0]
        guard error == 0 else {
            close(ends[0])
            throw HostError(step: "start \(words[0])", errno: error)
        }
        processID = made
        pidfd = aico_pidfd_open(made)
    }

    /// The next line of output; nil at its end or when patience ends.
    func nextLine(within limit: Duration) -> String? {
        let deadline = ContinuousClock.now + limit
        while true {
            if let newline = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<newline], as: UTF8.self)
                pending.removeSubrange(...newline)
                lines.append(line)
                return line
            }
            guard wait(for: output, until: deadline) else { return nil }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { return nil }
            pending.append(contentsOf: buffer[..<count])
        }
    }

    /// Reads lines until one holds the text; whether it came.
    func waitForLine(_ text: String, within limit: Duration) -> Bool {
        let deadline = ContinuousClock.now + limit
        while let line = nextLine(within: deadline - ContinuousClock.now) {
            if line.contains(text) { return true }
        }
        return false
    }

    /// All output until the program closes it.
    func remainingOutput(within limit: Duration) -> String {
        let deadline = ContinuousClock.now + limit
        var text = ""
        while let line = nextLine(within: deadline - ContinuousClock.now) { text += line + "\n" }
        return text + String(decoding: pending, as: UTF8.self)
    }

    /// Sends a signal by pidfd; nothing happens to a process that is gone.
    func signal(_ number: Int32) { _ = aico_pidfd_signal(pidfd, number) }

    /// The raw wait status; nil when patience ends first.
    func waitForEnd(within limit: Duration) -> Int32? {
        if let status { return status }
        guard wait(for: pidfd, until: ContinuousClock.now + limit) else { return nil }
        var raw: Int32 = 0
        guard aico_pidfd_reap(pidfd, &raw) == 1 else { return nil }
        status = raw
        return raw
    }

    /// Whether it has not ended.
    var isRunning: Bool { waitForEnd(within: .zero) == nil }

    private func wait(for descriptor: Int32, until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let left = max(.zero, deadline - ContinuousClock.now)
            let milliseconds = Int32(
                min(600_000, left / .milliseconds(1)).rounded(.up))
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, milliseconds)
            if ready < 0 && errno == EINTR { continue }
            return ready > 0
        }
    }

    deinit {
        if isRunning {
            signal(SIGKILL)
            _ = waitForEnd(within: .seconds(60))
        }
        close(output)
        close(pidfd)
    }
}

/// A step of a fixture that the host refused.
struct HostError: Error {
    var step: String
    var errno: Int32
}
