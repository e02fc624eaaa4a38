// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import LinuxSandbox
import LinuxSystem
import SystemPackage

/// Asks worker executables with `--describe` which types they have, all at once.
///
/// A shipped one as its class's user, a third party's as one that owns nothing (the compiler's, which
/// is not running then); each with no capability, under the filter of the class's workers, in pid,
/// ipc and network namespaces of its own: what a third party's program does when it is asked is not
/// known, and none of it may reach keys, other workers or the network.
struct Describer {
    let executables: String
    let identities: Identities
    let plans: [TaskClass: CheckedPlan]
    let privilege: any Privilege

    init(_ compiler: Compiler, identities: Identities, plans: [TaskClass: CheckedPlan]) {
        executables = compiler.binaries
        privilege = compiler.privilege
        self.identities = identities
        self.plans = plans
    }

    /// How long all of them together may take.
    static let timeLimit = Duration.seconds(5)

    /// One that was asked.
    private final class Run {
        let child: ChildProcess
        let output: Descriptor
        let words: LastWords
        var bytes: [UInt8] = []
        var failure: String?
        var isOpen = true

        init(child: ChildProcess, output: consuming Descriptor, words: LastWords) {
            self.child = child
            self.output = consume output
            self.words = words
        }

        func fail(_ why: String) {
            failure = why
            isOpen = false
        }

        func take() {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            guard let count = try? output.read(into: &buffer), count > 0 else {
                isOpen = false
                return
            }
            bytes += buffer[..<count]
            guard bytes.count > WorkerDescription.maximumBytes else { return }
            fail("describes itself in more than \(WorkerDescription.maximumBytes) bytes")
        }
    }

    /// Asks all, each in a cgroup of its own where `entry` gives one.
    func ask(
        _ workers: [WorkerID], entry: (WorkerID) throws(CgroupError) -> CgroupGroup? = { _ in nil }
    ) -> [WorkerDescription] {
        let started = workers.map { worker in
            Result { try start(worker, in: try entry(worker)) }
        }
        let runs = started.compactMap { try? $0.get() }
        let deadline = Clock.boot + Self.timeLimit
        while collect(runs, until: deadline) {}
        return started.map { result in
            switch result {
            case .success(let run): finish(run, until: deadline)
            case .failure(let error as Refusal): .failed(error.words)
            case .failure(let error): .failed("cannot be asked for its types: \(error)")
            }
        }
    }

    private struct Refusal: Error {
        let words: String
    }

    private func start(_ worker: WorkerID, in group: CgroupGroup?) throws -> Run {
        if let fault = TrustedExecutable.fault(of: worker, in: executables) {
            throw Refusal(words: fault)
        }
        let pipe = try Pipe()
        let output = pipe.reading
        let input = pipe.writing
        let words = try LastWords()
        var program = Program(
            path: "\(executables)/\(worker.name)", arguments: ["--describe"],
            identity: worker.isShipped ? identities[worker.taskClass] : identities.compiler,
            output: input.number, errors: words.output)
        program.filter = plans[worker.taskClass]?.plan.workerFilter ?? []
        program.entry = group?.entry
        program.isAlone = true
        let child = try withExtendedLifetime(group) { try program.launch(by: privilege) }
        words.closeOutput()
        return Run(child: child, output: output, words: words)
    }

    /// Waits once and reads; false when nothing is open any more.
    private func collect(_ runs: [Run], until deadline: Duration) -> Bool {
        let open = runs.filter(\.isOpen)
        guard !open.isEmpty else { return false }
        var set = PollSet()
        let outputs = open.map { set.add($0.output.number) }
        let words = open.map { set.add($0.words.number) }
        let left = deadline - Clock.boot
        // One that never ends its words would have each wait end before its time.
        guard left > .zero, let count = try? set.wait(for: left), count > 0 else {
            for run in open { run.fail("gave no description in time") }
            return false
        }
        for (index, run) in open.enumerated() {
            if !set[words[index]].isEmpty { run.words.take() }
            if !set[outputs[index]].isEmpty { run.take() }
        }
        return true
    }

    private func finish(_ run: Run, until deadline: Duration) -> WorkerDescription {
        // One that closed its output and does not end has no more time than the others had.
        let left = max(.zero, deadline - Clock.boot)
        let status = run.failure == nil ? run.child.wait(for: left) : nil
        if status == nil { _ = run.child.end() }
        let said = String(decoding: run.words.finish(), as: UTF8.self)
        let last = said.split(separator: "\n").last.map { ": \($0)" } ?? ""
        if let failure = run.failure { return .failed(failure + last) }
        guard status == .exited(code: 0) else {
            let end = status.map { WaitStatusText.words($0.word) } ?? "does not end"
            return .failed("--describe \(end)\(last)")
        }
        return .text(run.bytes)
    }

    /// Asks them in cgroups that end with their answers, each that is not ours in one of its own;
    /// gives a sealed file of what they said.
    func ask(
        _ workers: [WorkerID], below tree: CgroupTree
    ) throws -> Descriptor {
        func group(_ worker: WorkerID) -> String { "describe-\(worker.number)" }
        let descriptions = ask(workers) { worker throws(CgroupError) in
            guard !worker.isShipped, let plan = plans[worker.taskClass]?.plan else { return nil }
            return try tree.makeLeaf(group(worker), limits: plan.attemptLimits)
        }
        for worker in workers where !worker.isShipped {
            do throws(CgroupError) {
                try tree.remove(group(worker), patience: .seconds(1))
            } catch {
                // It hangs in a call: its leaf is in nobody's way.
                SupervisorLog.write("what \(worker.name) left of --describe does not end: \(error)")
            }
        }
        return try Self.file(of: descriptions)
    }

    /// A sealed file of descriptions, as the scheduler reads it.
    static func file(of descriptions: [WorkerDescription]) throws(SupervisorError) -> Descriptor {
        let bytes = WorkerDescription.encode(descriptions)
        let memory = aico_sealed_memfd("descriptions", bytes, bytes.count)
        guard memory >= 0 else { throw SupervisorError.system("make", "file of descriptions") }
        return Descriptor(owning: memory)
    }
}
