// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

@testable import LinuxSandbox

/// Attempts of the fixture executable, run as a class on the real kernel.
struct AttemptFixture {
    var plan: Plan

    /// A plan with every layer: limits, Landlock rules, and a filter that denies `denying`.
    init(userNamespace: Bool = true, denying: [Int] = []) {
        plan = ClassFixture.plan(userNamespace: userNamespace)
        plan.mounts.append(
            PlanMount(kind: .bindReadOnly, source: Self.products, target: "/aico/bin"))
        if let runtime = Self.runtime, !runtime.hasPrefix("/usr/") {
            plan.mounts.append(
                PlanMount(kind: .bindReadOnly, source: runtime, target: runtime))
        }
        plan.landlockRules = [
            LandlockRule(path: "/usr", access: [.read, .execute]),
            LandlockRule(path: "/dev/null", access: [.read, .write]),
            LandlockRule(path: "/proc", access: .read),
            LandlockRule(path: "/tmp", access: [.read, .write]),
            LandlockRule(path: "/no/such/place", access: .read, ifExists: true),
        ]
        plan.attemptLimits.memoryBytes = 64 << 20
        plan.attemptLimits.processes = 8
        plan.attemptLimits.openFiles = 64
        plan.attemptLimits.fileSizeBytes = 32 << 20
        plan.taskFilter = Self.filter(denying: denying)
    }

    /// What the fixture's worker printed, one line an event.
    func run(_ scenarios: String...) throws -> Outcome {
        let fixture = try ClassFixture(plan: plan)
        let text = try fixture.output(of: "/aico/bin/sandbox-fixture", scenarios)
        return Outcome(lines: text.split(separator: "\n").map(String.init))
    }

    /// The same action without a sandbox, by a process that the host's root starts.
    static func outside(_ scenario: String) throws -> String {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FixtureError(errno: errno) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addclose(&actions, ends[1])
        defer { posix_spawn_file_actions_destroy(&actions) }
        let texts = CTexts()
        let path = "\(products)/sandbox-fixture"
        var child = pid_t()
        let result = posix_spawn(
            &child, path, &actions, nil, texts.vector([path, "--outside", scenario]), environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard result == 0 else { throw FixtureError(errno: result) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(ends[0], &buffer, buffer.count), count > 0 {
            text.append(contentsOf: buffer.prefix(count))
        }
        var status: Int32 = 0
        waitpid(child, &status, 0)
        let said = Outcome(
            lines: String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init))
        return said.said ?? ""
    }

    /// ld nr; for each number: jeq -> user notifier; allow.
    private static func filter(denying numbers: [Int]) -> [FilterInstruction] {
        func step(_ code: UInt16, _ constant: UInt32, ifFalse: UInt8 = 0) -> FilterInstruction {
            FilterInstruction(code: code, jumpTrue: 0, jumpFalse: ifFalse, constant: constant)
        }
        return [step(0x20, 0)]
            + numbers.flatMap { [step(0x15, UInt32($0), ifFalse: 1), step(0x06, 0x7FC0_0000)] }
            + [step(0x06, 0x7FFF_0000)]
    }

    /// Where this test and the fixture were built; scripts/sanitize names one with sanitizers.
    private static let products: String = {
        if let named = getenv("AICO_FIXTURE_DIR") { return String(cString: named) }
        let own = linkTarget("/proc/self/exe") ?? ""
        return String(own.prefix(upTo: own.lastIndex(of: "/") ?? own.startIndex))
    }()

    /// The directory of the Swift runtime, where it is not linked in.
    private static let runtime: String? = {
        for line in (readFile("/proc/self/maps") ?? "").split(separator: "\n") {
            guard line.hasSuffix("/libswiftCore.so"), let start = line.firstIndex(of: "/"),
                let end = line.lastIndex(of: "/")
            else { continue }
            return String(line[start..<end])
        }
        return nil
    }()
}

/// The lines that the fixture printed.
struct Outcome: CustomStringConvertible {
    var lines: [String]

    /// What the task process said.
    var said: String? { line("said") }
    /// `held=... missing=...`
    var confined: String? { line("confined") }
    /// `layer errno detail`
    var refused: String? { line("refused") }
    /// `name number arguments`
    var denied: String? { line("denied") }
    /// Whether the fixture's worker came to its end.
    var isDone: Bool { line("done") != nil }

    var description: String { lines.joined(separator: "\n") }

    /// A field of the line of the attempt's end.
    func ended(_ field: String) -> Int? {
        for word in (line("ended") ?? "").split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0] == field { return Int(parts[1]) }
        }
        return nil
    }

    /// A field `name=value` of what was said.
    func said(_ field: String) -> String? {
        for word in (said ?? "").split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[0] == field { return String(parts[1]) }
        }
        return nil
    }

    private func line(_ word: String) -> String? {
        for line in lines where line.hasPrefix("\(word) ") {
            return String(line.dropFirst(word.count + 1))
        }
        return nil
    }
}
