// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox

/// Says which limit of its profile an attempt met: its number, the peak, and the key that changes it.
struct LimitWords: Sendable, Equatable {
    private enum Signal {
        // signal(7) of x86-64 and arm64.
        static let fileSize: Int32 = 25
        static let badSystemCall: Int32 = 31
    }

    var limits: PlanLimits
    /// Of all attempts of the class together.
    var classLimits: PlanLimits
    /// What a task's /tmp has room for, in bytes; nil where it has none.
    var temporaryBytes: UInt64?
    /// The profile's file, as `user.yaml`.
    var profile: String

    init(_ plan: Plan) {
        limits = plan.attemptLimits
        classLimits = plan.classLimits
        temporaryBytes = plan.mounts.first { $0.kind == .temporary }?.sizeBytes
        profile = "\(TaskClass(rawValue: plan.classIndex)?.name ?? "class").yaml"
    }

    /// The memory limit ended it.
    func memory(peak: UInt64?) -> String {
        let peak = peak.map { ", peak \(Self.size($0))" } ?? ""
        return "used more memory than its limit of \(Self.size(limits.memoryBytes))\(peak): "
            + change("memory_mb")
    }

    /// Whether it was not its own limit that ended it: one that never came near it was taken since
    /// its class had no memory left, which others used.
    func isOfClass(peak: UInt64?) -> Bool {
        guard let peak else { return false }
        return peak < limits.memoryBytes - limits.memoryBytes / 16
    }

    /// The class's memory limit ended it.
    func classMemory(peak: UInt64?) -> String {
        let own = peak.map { Self.size($0) } ?? "less"
        return "its class ran out of memory, \(Self.size(classLimits.memoryBytes)) for all its "
            + "attempts, while this one used \(own) of its own \(Self.size(limits.memoryBytes)): "
            + "'memory_mb' under 'class_limits' of \(profile) changes it"
    }

    /// Its time was over.
    func time(_ limit: Duration) -> String {
        let seconds = limit.components.seconds
        let key =
            seconds == Int64(limits.wallSeconds)
            ? change("wall_seconds") : "'--timeout' of the task changes it"
        return "took longer than its time limit of \(seconds) s: \(key)"
    }

    /// What has to be said of how it ended, and whether it will end so again; nil where it met no
    /// limit that is known of.
    ///
    /// - Parameter said: its last words. The kernel counts some limits, of others only who met one
    ///   knows.
    func met(
        by exit: ProcessExit, usage: ResourceUsage, codeMemoryRefusals: UInt64, said: [String] = []
    ) -> (words: String, isPermanent: Bool)? {
        switch Self.signal(exit) {
        case Signal.fileSize:
            return (
                "a file reached the size limit of \(Self.size(limits.fileSizeBytes)): "
                    + change("file_size_mb"), true
            )
        case Signal.badSystemCall:
            return (
                "a program for a foreign architecture, as one of 32 bits, made a system call: only "
                    + "the machine's own architecture runs", true
            )
        default: break
        }
        guard exit != .exited(code: 0) else { return nil }
        if codeMemoryRefusals > 0 {
            return (
                "memory to be written and run was refused \(Self.times(codeMemoryRefusals)): "
                    + "'writable_executable_memory: true' in \(profile) permits it", false
            )
        }
        guard usage.processLimitHits > 0 else { return met(saying: said).map { ($0, false) } }
        let peak = usage.peakProcesses.map { ", peak \($0)" } ?? ""
        return (
            "its limit of \(limits.processes) processes and threads was met "
                + "\(Self.times(usage.processLimitHits))\(peak): " + change("processes"), false
        )
    }

    /// As strerror(3) of the C locale has it.
    private func met(saying words: [String]) -> String? {
        if words.contains(where: Self.areTooManyFiles) {
            return "its limit of \(limits.openFiles) open files was met: " + change("open_files")
        }
        guard let temporaryBytes, words.contains(where: { $0.contains(Self.noSpace) })
        else { return nil }
        return "if it was '/tmp' that had no space left, which holds "
            + "\(Self.size(temporaryBytes)): 'tmp_mb' of \(profile) changes it"
    }

    private static let noSpace = "No space left on device"

    /// Not the machine's own limit: "Too many open files in system".
    private static func areTooManyFiles(_ text: String) -> Bool {
        text.replacing("Too many open files in system", with: "").contains("Too many open files")
    }

    /// The signal that ended it, or a program that a shell ran for it.
    private static func signal(_ exit: ProcessExit) -> Int32? {
        switch exit {
        case .signaled(let signal): signal
        case .exited(let code) where code > 128: code - 128
        case .exited, .notStarted: nil
        }
    }

    private func change(_ key: String) -> String {
        "'\(key)' under 'limits' of \(profile) changes it"
    }

    private static func times(_ count: UInt64) -> String {
        count == 1 ? "once" : "\(count) times"
    }

    private static func size(_ bytes: UInt64) -> String {
        bytes >= 1 << 20 ? "\((bytes + (1 << 19)) >> 20) MiB" : "\(bytes) bytes"
    }
}
