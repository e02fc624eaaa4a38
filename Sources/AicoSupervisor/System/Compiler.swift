// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import LinuxSandbox
import LinuxSystem
import SystemPackage

/// Runs `aico-profilec` under a uid of its own and reads exactly one answer from its pipe.
struct Compiler {
    /// Where the executables are.
    var binaries: String
    var profiles: String
    var root: String
    /// By which it is run.
    var privilege: any Privilege
    /// How long one run may take.
    var timeLimit = Duration.seconds(60)

    /// The largest accepted plan.
    static let maximumBytes = 1 << 20

    /// Reads the users of the system from the configuration.
    func identities(as identity: Identities.Identity) throws(SupervisorError) -> Identities {
        let bytes = try finish(try start(["--identities"], as: identity))
        guard let identities = Identities(decoding: bytes) else {
            throw SupervisorError(
                operation: "read", subject: "identities",
                reason: .invalid("aico-profilec gave \(bytes.count) bytes that are none"))
        }
        return identities
    }

    /// What is in force for the processes of the system.
    struct Compiled {
        var workers: [WorkerID]
        var plans: [TaskClass: CheckedPlan]
        var filters: SystemFilters

        /// What the scheduler is told of them on its command line.
        var schedulerWords: [String] {
            workers.filter { !$0.isShipped }.flatMap { ["--worker", $0.name] }
                + TaskClass.allCases.flatMap { taskClass -> [String] in
                    let seconds = plans[taskClass]?.plan.attemptLimits.wallSeconds ?? 0
                    return seconds == 0 ? [] : ["--time-limit", "\(taskClass.name)=\(seconds)"]
                }
        }
    }

    /// Compiles the profiles of all classes and the system's filters, and reads the list of workers,
    /// at the same time.
    func compile(_ identities: Identities) throws(SupervisorError) -> Compiled {
        let filters = try start(["--filters"], as: identities.compiler)
        let list = try start(["--workers"], as: identities.compiler)
        var runs: [(TaskClass, Run)] = []
        for taskClass in TaskClass.allCases {
            let words = ["--class", taskClass.name, "--profiles", profiles, "--bin", binaries]
            runs.append((taskClass, try start(words, as: identities.compiler)))
        }
        var plans: [TaskClass: CheckedPlan] = [:]
        for (taskClass, run) in runs {
            plans[taskClass] = try CheckedPlan(
                bytes: try finish(run), taskClass: taskClass, identity: identities[taskClass],
                ceiling: PlanCeiling(
                    root: root, executables: binaries, profiles: profiles, taskClass: taskClass))
        }
        let bytes = try finish(list)
        guard bytes.count <= WorkerListCodec.maximumBytes,
            let workers = WorkerListCodec.decode(bytes)
        else {
            throw SupervisorError(
                operation: "read", subject: "list of workers",
                reason: .invalid("aico-profilec gave \(bytes.count) bytes that are none"))
        }
        return Compiled(
            workers: workers, plans: plans,
            filters: try CheckedFilters.decode(try finish(filters)))
    }

    private final class Run {
        let child: ChildProcess
        let output: Descriptor
        let words: [String]
        var isFinished = false

        init(child: ChildProcess, output: consuming Descriptor, words: [String]) {
            self.child = child
            self.output = consume output
            self.words = words
        }

        /// Where another one failed, nobody waits for this.
        deinit { if !isFinished { _ = child.end() } }
    }

    private func start(
        _ words: [String], as identity: Identities.Identity
    ) throws(SupervisorError) -> Run {
        let pipe: Pipe
        do throws(Errno) {
            pipe = try Pipe()
        } catch {
            throw SupervisorError(operation: "make", subject: "pipe", reason: .errno(error))
        }
        let output = pipe.reading
        let input = pipe.writing
        let arguments = words + (root.isEmpty ? [] : ["--root", root])
        let path = "\(binaries)/aico-profilec"
        do throws(LaunchError) {
            let child = try Program(
                path: path, arguments: arguments, identity: identity, output: input.number
            ).launch(by: privilege)
            return Run(child: child, output: output, words: words)
        } catch {
            throw SupervisorError(launching: path, error)
        }
    }

    private func finish(_ run: Run) throws(SupervisorError) -> [UInt8] {
        let deadline = Clock.boot + timeLimit
        let bytes = read(run.output, until: deadline)
        if bytes == nil { run.child.signal(SIGKILL) }
        var status = run.child.wait(for: max(.zero, deadline - Clock.boot))
        if status == nil { status = run.child.end() }
        run.isFinished = true
        let subject = "aico-profilec " + run.words.prefix(2).joined(separator: " ")
        guard let bytes else {
            throw SupervisorError(
                operation: "run", subject: subject,
                reason: .invalid("its answer is too long or took too long"))
        }
        guard status == .exited(code: 0) else {
            throw SupervisorError(
                operation: "run", subject: subject,
                reason: .invalid("it \(WaitStatusText.words(status?.word ?? -1))"))
        }
        return bytes
    }

    /// Reads to the end; nil past the deadline or the size.
    private func read(_ output: borrowing Descriptor, until deadline: Duration) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var waiting = PollSet()
            waiting.add(output.number)
            guard (try? waiting.wait(for: deadline - Clock.boot)) == 1,
                let count = try? output.read(into: &buffer)
            else { return nil }
            if count == 0 { return bytes }
            guard bytes.count + count <= Self.maximumBytes else { return nil }
            bytes += buffer[..<count]
        }
    }
}

/// A plan that fits the class it was asked for; the compiler's word is not enough.
struct CheckedPlan {
    var plan: Plan
    var bytes: [UInt8]

    /// Decodes and checks.
    init(
        bytes: [UInt8], taskClass: TaskClass, identity: Identities.Identity,
        ceiling: PlanCeiling
    ) throws(SupervisorError) {
        let plan = try Self.decode(bytes, taskClass)
        func refuse(_ text: String) -> SupervisorError {
            SupervisorError(
                operation: "use", subject: "plan of \(taskClass.name)", reason: .invalid(text))
        }
        guard plan.userID == identity.user, plan.groupID == identity.group else {
            throw refuse("its uid or gid is not the class's")
        }
        if let excess = ceiling.excess(of: plan) {
            throw refuse(excess)
        }
        self.plan = plan
        self.bytes = bytes
    }

    private static func decode(
        _ bytes: [UInt8], _ taskClass: TaskClass
    ) throws(SupervisorError) -> Plan {
        do {
            return try PlanCodec.decode(bytes)
        } catch {
            throw SupervisorError(
                operation: "decode", subject: "plan of \(taskClass.name)",
                reason: .invalid("\(error)"))
        }
    }
}
