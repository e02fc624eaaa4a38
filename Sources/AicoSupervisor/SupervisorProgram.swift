// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import Glibc
import LinuxSandbox
import LinuxSystem
import SystemPackage

/// The executable `aico-supervisor`: prepares the instance, then supervises it.
package enum SupervisorProgram {
    /// Exit statuses, as of sysexits.h.
    private enum Status {
        static let done: Int32 = 0
        static let usage: Int32 = 64
        static let failed: Int32 = 71
        static let notPermitted: Int32 = 77
    }

    /// Runs until the system is stopped; gives the exit status.
    package static func run(_ words: [String]) -> Int32 {
        StandardDescriptors.openMissing()
        if words.dropFirst().contains("--help") {
            print(Arguments.usage)
            return Status.done
        }
        let arguments: Arguments
        do throws(Arguments.Refusal) {
            arguments = try Arguments(Array(words.dropFirst())) { name in
                getenv(name).map { String(cString: $0) }
            }
        } catch {
            SupervisorLog.write("\(error.text)\n\(Arguments.usage)")
            return Status.usage
        }
        let privilege = RootPrivilege()
        if let lack = privilege.lack {
            SupervisorLog.write(lack)
            return Status.notPermitted
        }
        StandardDescriptors.keepTerminalWriteOnly()
        do {
            // Before anything is started or made. From here on TERM waits until all is in place,
            // and a scheduler that goes away raises no SIGPIPE.
            let stopSignals = aico_stop_signalfd()
            guard stopSignals >= 0 else { throw SupervisorError.system("take", "stop signals") }
            let stop = Descriptor(owning: stopSignals)
            try Inherited.settle()
            // Before another mount namespace is entered, where its path may lead elsewhere.
            let service = ServiceManager(processID: getpid()) { name in
                getenv(name).map { String(cString: $0) }
            }
            let compiler = Compiler(
                binaries: try ownDirectory(), profiles: arguments.profiles ?? "",
                root: arguments.root, privilege: privilege)
            if arguments.isCheck { return try check(compiler) }
            return try supervise(compiler, stopSignals: stop, service: service)
        } catch {
            SupervisorLog.write("\(error)")
            return Status.failed
        }
    }

    /// Compiles everything and changes nothing.
    private static func check(_ given: Compiler) throws -> Int32 {
        let compiler = given.withDefaultProfiles()
        let identities = try compiler.privilege.identities(from: compiler)
        let compiled = try compiler.compile(identities)
        try warnOfLacks(compiled.plans)
        let describer = Describer(compiler, identities: identities, plans: compiled.plans)
        try checkByScheduler(
            compiler, identities, compiled,
            descriptions: try Describer.file(of: describer.ask(compiled.workers)))
        print("configuration, profiles and keys are in order")
        return Status.done
    }

    /// Names what is granted and cannot be shown: no refusal, as it may come until an attempt needs it.
    private static func warnOfLacks(
        _ plans: [TaskClass: CheckedPlan]
    ) throws(SupervisorError) {
        for taskClass in TaskClass.allCases {
            guard var plan = plans[taskClass]?.plan else { continue }
            // The rest is made at a start.
            plan.mounts.removeAll { $0.source != $0.target }
            do throws(Errno) {
                for finding in try GrantCheck.findings(plan) {
                    SupervisorLog.write(
                        "warning: class \(taskClass.name): \(finding); until it can, "
                            + "its attempts run without")
                }
            } catch {
                throw SupervisorError(
                    operation: "look at", subject: "grants of \(taskClass.name)",
                    reason: .errno(error))
            }
        }
    }

    /// Lets the scheduler look at what it alone reads; it says on standard error what is wrong.
    private static func checkByScheduler(
        _ compiler: Compiler, _ identities: Identities, _ compiled: Compiler.Compiled,
        descriptions: borrowing Descriptor
    ) throws(SupervisorError) {
        let words = ["--check", "--bin", compiler.binaries]
        let path = "\(compiler.binaries)/aico-scheduler"
        let child: ChildProcess
        do throws(LaunchError) {
            var program = Program(
                path: path,
                arguments: words + (compiler.root.isEmpty ? [] : ["--root", compiler.root])
                    + compiled.schedulerWords,
                identity: identities.scheduler)
            // The place of the channel, which a check has none of.
            program.descriptors = [descriptions.number, descriptions.number]
            child = try program.launch(by: compiler.privilege)
        } catch {
            throw SupervisorError(launching: path, error)
        }
        let status = child.wait(for: compiler.timeLimit)
        if status == nil { _ = child.end() }
        guard status == .exited(code: 0) else {
            throw SupervisorError(
                operation: "accept", subject: "configuration and keys",
                reason: .invalid(
                    status.map {
                        "aico-scheduler --check \(WaitStatusText.words($0.word)); see above"
                    }
                        ?? "aico-scheduler --check took too long"))
        }
    }

    /// Prepares a system by the compiler's rights and keeps it until it is stopped.
    static func supervise(
        _ compiler: Compiler, stopSignals: consuming Descriptor,
        service: consuming ServiceManager?
    ) throws -> Int32 {
        let system = try PreparedSystem(compiler.withDefaultProfiles())
        for lack in system.lacks() { SupervisorLog.write("warning: \(lack)") }
        let supervisor = Supervisor(system, stopSignals: stopSignals, service: service)
        do {
            try supervisor.run()
        } catch {
            // It hears of nothing any more: what runs must not go on without it.
            try? supervisor.leaveNothing()
            throw error
        }
        withExtendedLifetime(supervisor) { SupervisorLog.write("stopped") }
        return Status.done
    }

    /// Where this executable is, and with it the others.
    private static func ownDirectory() throws(SupervisorError) -> String {
        let path: String
        do throws(Errno) {
            path = try FileSystem.target(ofLink: "/proc/self/exe")
        } catch {
            throw SupervisorError(
                operation: "find", subject: "own executable", reason: .errno(error))
        }
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}

extension Compiler {
    /// Without `--profiles`, those beside the executables.
    fileprivate func withDefaultProfiles() -> Compiler {
        var compiler = self
        if profiles.isEmpty { compiler.profiles = "\(binaries)/sandbox-profiles" }
        return compiler
    }
}
