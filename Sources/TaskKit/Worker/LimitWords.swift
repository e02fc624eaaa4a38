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
    /// The profile's file, as `user.yaml`.
    var profile: String

    init(_ plan: Plan) {
        limits = plan.attemptLimits
        profile = "\(TaskClass(rawValue: plan.classIndex)?.name ?? "class").yaml"
    }

    /// The memory limit ended it.
    func memory(peak: UInt64?) -> String {
        let peak = peak.map { ", peak \(Self.size($0))" } ?? ""
        return "used more memory than its limit of \(Self.size(limits.memoryBytes))\(peak): "
            + change("memory_mb")
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
    func met(
        by exit: ProcessExit, usage: ResourceUsage, codeMemoryRefusals: UInt64
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
        guard usage.processLimitHits > 0 else { return nil }
        let peak = usage.peakProcesses.map { ", peak \($0)" } ?? ""
        return (
            "its limit of \(limits.processes) processes and threads was met "
                + "\(Self.times(usage.processLimitHits))\(peak): " + change("processes"), false
        )
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
