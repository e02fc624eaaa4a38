// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import LinuxSystem
import Testing

@testable import AicoSupervisor

/// Worker executables that are asked for their types; shell scripts stand for them.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct DescriberTests {
    private let scratch: ScratchDirectory
    private let workers: [WorkerID]
    private let describer: Describer

    init() throws {
        scratch = try ScratchDirectory()
        chmod(scratch.path, 0o755)
        workers = try WorkerID.list(beside: ["acme-worker-user", "other-worker-security"])
        describer = Describer(
            Compiler(
                binaries: scratch.path, profiles: "", root: scratch.path,
                privilege: RootPrivilege()),
            identities: try #require(
                Identities(decoding: IdentitiesTests.encoded(IdentitiesTests.words))),
            plans: [:])
        for worker in workers { try install(worker, "echo \(worker.label)") }
    }

    private func install(_ worker: WorkerID, _ script: String, mode: mode_t = 0o755) throws {
        let path = "\(scratch.path)/\(worker.name)"
        try "#!/bin/sh\n\(script)\n".write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, mode)
    }

    @Test func eachSaysItsOwn() {
        #expect(
            describer.ask(workers) == workers.map { .text(Array("\($0.label)\n".utf8)) })
    }

    /// A third party's as one that owns nothing, alone in its namespaces; the test itself is root.
    @Test func itIsAskedAsOneThatOwnsNothing() throws {
        try install(
            workers[5],
            "echo $1; id -u; id -g; id -G; echo $$; wc -l < /proc/net/dev; "
                + "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status")
        // The control: this process has the host's devices.
        let devices = try String(contentsOfFile: "/proc/net/dev", encoding: .utf8)
        #expect(devices.split(separator: "\n").count > 2)
        guard case .text(let bytes) = describer.ask(workers)[5] else {
            Issue.record("it said nothing")
            return
        }
        let said = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        #expect(
            said == [
                "--describe", "61005", "62005", "62005", "1", "3",
                "CapEff:\t0000000000000000", "NoNewPrivs:\t1",
            ])
    }

    /// A shipped one as its class's user.
    @Test func aShippedOneIsAskedAsItsClassesUser() throws {
        try install(workers[1], "id -u; echo $$")
        #expect(describer.ask(workers)[1] == .text(Array("61002\n1\n".utf8)))
    }

    /// What it leaves ends with it.
    @Test func whatItForksEndsWithIt() throws {
        let file = "\(scratch.path)/left"
        try install(workers[5], "(sleep 3; echo late > \(file)) >/dev/null 2>&1 & echo $!")
        chmod(scratch.path, 0o777)
        defer { chmod(scratch.path, 0o755) }
        _ = describer.ask(workers)
        var said: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard Int(name) != nil,
                let words = try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8),
                words.contains(file)
            else { continue }
            said.append(words)
        }
        #expect(said.isEmpty)
    }

    @Test(arguments: [
        ("exit 3", "--describe ended with exit code 3"),
        ("echo no >&2; echo why >&2; exit 1", "--describe ended with exit code 1: why"),
        (
            "yes '                                        ' | head -c 300000",
            "describes itself in more than 262144 bytes"
        ),
        ("sleep 100", "gave no description in time"),
        ("yes >&2", "gave no description in time"),
    ])
    func oneThatFailsHarmsNoOther(script: String, why: String) throws {
        try install(workers[4], script)
        let began = Clock.boot
        let said = describer.ask(workers)
        #expect(Clock.boot - began < Describer.timeLimit + .seconds(5))
        guard case .failed(let words) = said[4] else {
            Issue.record("\(said[4])")
            return
        }
        #expect(words.hasPrefix(why), "\(words)")
        for worker in workers where worker != workers[4] {
            #expect(said[worker.number] == .text(Array("\(worker.label)\n".utf8)), "\(worker)")
        }
    }

    @Test func whatOthersCanChangeIsNotRun() throws {
        let (path, other) = ("\(scratch.path)/acme-worker-user", workers[4])
        func fault() -> String? { TrustedExecutable.fault(of: other, in: scratch.path) }
        #expect(fault() == nil)
        chmod(path, 0o775)
        #expect(fault()?.hasPrefix("others than root can change '\(path)'") == true)
        #expect(describer.ask(workers)[4] == fault().map { .failed($0) })
        chmod(path, 0o755)
        chown(path, 61004, 0)
        #expect(fault()?.hasPrefix("others than root can change") == true)
        unlink(path)
        #expect(fault() == "there is no '\(path)'; install it")
        symlink("/bin/sh", path)
        #expect(fault() == "'\(path)' is no regular file")
        unlink(path)
        try install(other, "exit 0")
        chmod(scratch.path, 0o777)
        #expect(fault() == "cannot use \"\(scratch.path)\": others than root may write to it")
        // The four came with the supervisor, and so did whoever can change it.
        #expect(TrustedExecutable.fault(of: .user, in: scratch.path) == nil)
        chmod(scratch.path, 0o755)
        #expect(fault() == nil)
    }
}
