// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import FloorWords
import Glibc
import LinuxSandbox

/// The floor of an attempt: a C program, launched as class user's worker is, that makes attempts in
/// all layers and times them itself. What it leaves out is said in `Benchmarks/Floor/floor.h`.
final class Floor {
    /// How an attempt is made and ends.
    struct Way: OptionSet {
        let rawValue: UInt32
        /// By a process that waited in all layers.
        static let ahead = Way(rawValue: UInt32(FLOOR_AHEAD))
        /// As the empty program.
        static let exec = Way(rawValue: UInt32(FLOOR_EXEC))
        /// Looks whether each part holds.
        fileprivate static let check = Way(rawValue: UInt32(FLOOR_CHECK))
    }

    private static let executable = "aico-bench-floor"
    private static let emptyProgram = "/empty"

    private let root: BenchRoot
    private let socket: Int32

    init(_ arguments: BenchArguments, _ program: EmptyProgram) throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw BenchError("cannot make a socket: \(String(cString: strerror(errno)))")
        }
        defer { close(ends[1]) }
        socket = ends[0]
        root = try BenchRoot(arguments)
        root.plan.mounts.append(
            PlanMount(
                kind: .bindReadOnly, source: program.path, target: Self.emptyProgram))
        root.plan.landlockRules.append(
            LandlockRule(path: Self.emptyProgram, access: [.read, .execute]))
        do {
            try root.launch(Self.executable, Self.words(root.plan, root.cgroups), output: ends[1])
            try root.plan.taskFilter.withUnsafeBytes { try send($0) }
            try Self.expect(try receive(), "to set itself up")
            try checkLayers()
        } catch {
            end()
            throw error
        }
    }

    /// The milliseconds of one attempt, without some parts and with some extras.
    func attempt(_ way: Way = [], without: UInt32 = 0, with extras: UInt32 = 0) throws -> Double {
        let answer = try ask(way, without: without, with: extras)
        try Self.expect(answer, "to make an attempt")
        return Double(answer.nanoseconds) / 1e6
    }

    func end() {
        close(socket)
        root.end()
    }

    /// Has every part looked at from inside, and each left out once, which has to be noticed.
    private func checkLayers() throws {
        try Self.expect(try ask(.check), "to hold in every part")
        for part in 0..<UInt32(FLOOR_PART_COUNT) {
            let answer = try ask(.check, without: 1 << part)
            guard answer.failed == part + 1 else {
                throw BenchError(
                    "the floor does not notice that it lacks: \(Self.words(ofPart: part))")
            }
        }
    }

    private static func expect(_ answer: floor_answer, _ what: String) throws {
        guard answer.failed != 0 else { return }
        let reason = answer.error == 0 ? "" : ", \(String(cString: strerror(answer.error)))"
        throw BenchError(
            "cannot get the floor \(what): \(words(ofPart: answer.failed - 1))\(reason)")
    }

    // MARK: words

    static func words(ofPart part: UInt32) -> String { String(cString: floor_part_words(part)) }

    static func words(ofExtra extra: UInt32) -> String { String(cString: floor_extra_words(extra)) }

    private static func words(_ plan: Plan, _ cgroups: CgroupKind) -> [String] {
        let own = plan.mounts.filter { $0.kind == .temporary || $0.kind == .proc }
        return own.flatMap(words) + rules(plan, own: own.map(\.target)) + limits(plan, cgroups)
            + ["open-files", "\(plan.attemptLimits.openFiles)"]
            + ["file-size", "\(plan.attemptLimits.fileSizeBytes)"]
            + ["file-mask", "\(plan.fileMask)", "program", emptyProgram]
            // Its mode lets everybody read it, and no rule of the class does.
            + ["forbidden", "/aico/bin/\(executable)"]
    }

    /// As PreparedAttempts has them.
    private static func words(_ mount: PlanMount) -> [String] {
        let flags = UInt64(MS_NOSUID | MS_NODEV | MS_NOEXEC)
        guard mount.kind == .temporary else {
            return [
                "mount", "proc", mount.target, "hidepid=2,subset=pid",
                "\(flags | UInt64(MS_RDONLY))",
            ]
        }
        let inodes = max(mount.sizeBytes / 4096, 64)
        return [
            "mount", "tmpfs", mount.target,
            "mode=1777,size=\(mount.sizeBytes),nr_inodes=\(inodes)", "\(flags)",
        ]
    }

    private static func rules(_ plan: Plan, own: [String]) -> [String] {
        let abi = aico_landlock_abi()
        let files = aico_landlock_files(abi)
        let handled = [files, abi >= 4 ? 3 : 0, abi >= 6 ? 3 : 0, aico_landlock_plain_files()]
        return ["handled"] + handled.map { "\($0)" }
            + plan.landlockRules.flatMap { rule in
                [
                    own.contains(rule.path) ? "own-rule" : "rule", rule.path,
                    "\(aico_landlock_access(rule.access.rawValue) & files)",
                ]
            }
    }

    private static func limits(_ plan: Plan, _ cgroups: CgroupKind) -> [String] {
        CgroupController.ofAttempts.enumerated().flatMap { index, controller in
            controller.settings(plan.attemptLimits, on: cgroups, isLeaf: true).flatMap {
                [
                    $0.isOptional ? "optional-limit" : "limit",
                    "\(cgroups == .unified ? 0 : index + 1)", $0.file, $0.text,
                ]
            }
        }
    }

    // MARK: messages

    private func ask(
        _ way: Way, without: UInt32 = 0, with extras: UInt32 = 0
    ) throws -> floor_answer {
        let order = floor_order(way: way.rawValue, without: without, with: extras)
        try withUnsafeBytes(of: order) { try send($0) }
        return try receive()
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws {
        guard
            Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
                == bytes.count
        else { throw BenchError("the floor is gone") }
    }

    private func receive() throws -> floor_answer {
        var answer = floor_answer()
        let size = MemoryLayout<floor_answer>.size
        guard recv(socket, &answer, size, 0) == size else {
            throw BenchError("the floor is gone, or does not understand its words")
        }
        return answer
    }
}
