// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import Glibc
import LinuxSystem
import SystemPackage
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
    private let exit: Descriptor

    init(
        _ process: consuming CommandProcess, input: [UInt8]?, context: TaskContext
    ) throws(CommandFailure) {
        do throws(Errno) {
            exit = try Pidfd.open(process.processID)
        } catch {
            process.terminate()
            throw .resources(error)
        }
        self.process = process
        self.context = context
        self.input = ArraySlice(input ?? [])
    }

    /// Runs until the command itself ends, not until its pipes do: what it left in the
    /// background ends with the attempt.
    ///
    /// - Throws: where poll(2) is refused, as a command can have it that lowers this process's limit
    ///   of descriptors; what runs of it ends with the attempt.
    mutating func wait() throws(TaskFailure) -> WaitStatus {
        // As pid 1 this process inherits orphans, and one that is not reaped counts against the
        // attempt's process limit.
        let childSignals = getpid() == 1 ? try? SignalQueue(of: SIGCHLD) : nil
        while true {
            var waiting = PollSet()
            let exited = waiting.add(exit.number)
            let children = waiting.add(Self.number(childSignals))
            let cancelled = waiting.add(isCancelled ? -1 : context.cancellationDescriptor)
            let result = waiting.add(process.resultNumber)
            let input = waiting.add(process.inputNumber, .writable)
            do throws(Errno) {
                try waiting.wait(for: nil)
            } catch {
                process.terminate()
                throw .transient("cannot wait for the command: \(error)")
            }
            if !waiting[cancelled].isEmpty {
                isCancelled = true
                process.terminate()
            }
            if !waiting[result].isEmpty { _ = readResult() }
            if !waiting[input].isEmpty { writeInput() }
            if !waiting[children].isEmpty {
                Self.drain(childSignals)
                reapOrphans()
            }
            if !waiting[exited].isEmpty, let end = reap() {
                drain()
                if getpid() == 1, let left = LeftProcesses.find() { context.tell(of: left) }
                return end
            }
        }
    }

    /// Gives the verdict of a command that ended.
    func verdict(_ end: WaitStatus) throws(TaskFailure) -> JSONValue {
        try CommandOutcome.result(end, result: result())
    }
}

extension CommandRun {
    /// For a poll set; -1, which poll(2) passes over, where there is none.
    private static func number(_ signals: borrowing SignalQueue?) -> Int32 {
        switch signals {
        case .some(let signals): signals.descriptor.number
        case .none: -1
        }
    }

    private static func drain(_ signals: borrowing SignalQueue?) {
        switch signals {
        case .some(let signals): signals.drain()
        case .none: break
        }
    }

    private func reapOrphans() {
        while true {
            // Looks before it reaps: the command's own status is for `reap`.
            guard let child = (try? WaitStatus.nextEnded(isReaped: false)) ?? nil,
                child != process.processID
            else { return }
            _ = try? WaitStatus.take(child, isPatient: false)
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
        let number = process.resultNumber
        guard number >= 0,
            let chunk = try? FileDescriptor(rawValue: number).take(upTo: Self.chunkBytes)
        else { return 0 }
        if chunk.isEmpty { process.closeResult() }
        // One byte more than permitted is kept, to know that it was too much.
        let room = Self.maximumResultBytes + 1 - resultBytes.count
        resultBytes.append(contentsOf: chunk.prefix(max(0, room)))
        return chunk.count
    }

    private mutating func writeInput() {
        let descriptor = FileDescriptor(rawValue: process.inputNumber)
        do throws(Errno) {
            input = input.dropFirst(try descriptor.put(input))
        } catch {
            // A command that does not read its input is no failure of ours.
            if error != .wouldBlock { process.closeInput() }
        }
        if input.isEmpty { process.closeInput() }
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
