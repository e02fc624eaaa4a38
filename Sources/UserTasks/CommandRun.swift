// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import Glibc
import LinuxSystem
import TaskKit

/// Serves a running command until it ends: its result, its input, its orphans, its cancellation.
///
/// Its output goes to the worker without this process.
struct CommandRun: ~Copyable {
    /// The most bytes kept of descriptor 3.
    static let maximumResultBytes = WireLimits.maximumBlobBytes
    /// The most bytes read of a pipe once the command has ended: what a pipe holds.
    private static let drainBytes = 1024 * 1024
    private static let chunkBytes = 64 * 1024

    private var process: CommandProcess
    private let context: TaskContext
    private var input: ArraySlice<UInt8>
    private var resultBytes: [UInt8] = []
    private var isCancelled = false
    private var buffer = [UInt8](repeating: 0, count: CommandRun.chunkBytes)
    private let exitDescriptor: Int32
    private let childSignals: Int32

    init(
        _ process: consuming CommandProcess, input: [UInt8]?, context: TaskContext
    ) throws(CommandFailure) {
        exitDescriptor = aico_pidfd_open(process.processID)
        let code = errno
        guard exitDescriptor >= 0 else {
            process.terminate()
            throw .resources(errno: code)
        }
        childSignals = getpid() == 1 ? Self.watchChildren() : -1
        self.process = process
        self.context = context
        self.input = ArraySlice(input ?? [])
    }

    deinit {
        close(exitDescriptor)
        if childSignals >= 0 { close(childSignals) }
    }

    /// Runs until the command itself ends, not until its pipes do: what it left in the
    /// background ends with the attempt.
    mutating func wait() -> WaitStatus {
        while true {
            var items = [
                item(exitDescriptor, POLLIN),
                item(childSignals, POLLIN),
                item(isCancelled ? -1 : context.cancellationDescriptor, POLLIN),
                item(process.result.descriptor, POLLIN),
                item(process.input.descriptor, POLLOUT),
            ]
            poll(&items, nfds_t(items.count), -1)
            if items[2].revents != 0 {
                isCancelled = true
                process.terminate()
            }
            if items[3].revents != 0 { _ = readResult() }
            if items[4].revents != 0 { writeInput() }
            if items[1].revents != 0 { reapOrphans() }
            if items[0].revents != 0, let end = reap() {
                drain()
                return end
            }
        }
    }

    /// Gives the verdict of a command that ended.
    func verdict(_ end: WaitStatus) throws(TaskFailure) -> JSONValue {
        try CommandVerdict.result(end, result: result())
    }

    private func item(_ descriptor: Int32, _ events: Int32) -> pollfd {
        pollfd(fd: descriptor, events: Int16(events), revents: 0)
    }
}

extension CommandRun {
    /// Takes SIGCHLD as a descriptor: as pid 1 this process inherits orphans, and one that is not
    /// reaped counts against the attempt's process limit.
    private static func watchChildren() -> Int32 {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGCHLD)
        sigprocmask(SIG_BLOCK, &signals, nil)
        return signalfd(-1, &signals, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
    }

    private mutating func reapOrphans() {
        _ = buffer.withUnsafeMutableBytes { read(childSignals, $0.baseAddress, $0.count) }
        while true {
            // Looks before it reaps: the command's own status is for `reap`.
            var info = siginfo_t()
            guard waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
            let child = info._sifields._kill.si_pid
            guard child > 0, child != process.processID else { return }
            waitpid(child, nil, WNOHANG)
        }
    }

    private func reap() -> WaitStatus? {
        (try? WaitStatus.take(process.processID, isPatient: false)) ?? nil
    }

    /// Reads what the command left on descriptor 3; does not wait for what others may still write.
    private mutating func drain() {
        var left = Self.drainBytes
        while left > 0, case let count = readResult(), count > 0 { left -= count }
    }

    private mutating func readResult() -> Int {
        let count = fill(from: process.result.descriptor)
        if count == 0 { process.result.close() }
        guard count > 0 else { return 0 }
        // One byte more than permitted is kept, to know that it was too much.
        let room = Self.maximumResultBytes + 1 - resultBytes.count
        resultBytes.append(contentsOf: buffer[..<min(count, max(0, room))])
        return count
    }

    /// Reads into the buffer: the count, 0 at the end of the pipe, -1 where nothing is there.
    private mutating func fill(from descriptor: Int32) -> Int {
        guard descriptor >= 0 else { return -1 }
        return buffer.withUnsafeMutableBytes { bytes in
            var count = 0
            var code: Int32 = 0
            repeat {
                count = read(descriptor, bytes.baseAddress, bytes.count)
                code = errno
            } while count < 0 && code == EINTR
            return count
        }
    }

    private mutating func writeInput() {
        let descriptor = process.input.descriptor
        let count = input.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let code = errno
        if count > 0 { input = input.dropFirst(count) }
        // A command that does not read its input is no failure of ours.
        if input.isEmpty || (count < 0 && code != EAGAIN && code != EINTR) { process.input.close() }
    }

    /// The last line on descriptor 3, if it is JSON.
    private func result() -> JSONValue? {
        guard !resultBytes.isEmpty else { return nil }
        guard resultBytes.count <= Self.maximumResultBytes else {
            context.log(
                .warning,
                "descriptor 3 gave more than \(Self.maximumResultBytes) bytes: no result is kept")
            return nil
        }
        guard let line = resultBytes.split(separator: 0x0A).last else { return nil }
        do {
            return try JSONValue.parse(Array(line))
        } catch {
            context.log(.warning, "descriptor 3 gave no line of JSON: \(error.reason)")
            return nil
        }
    }
}
