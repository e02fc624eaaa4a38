// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoWire
import Glibc
import LinuxSandbox
import LinuxSystem
import SystemPackage

/// The one call of a worker executable.
public enum WorkerMain {
    /// Exit codes of a worker; the supervisor relaunches after each of them.
    private enum ExitCode {
        static let usage: Int32 = 64
        static let internalError: Int32 = 70
        static let forkServerGone: Int32 = 71
    }

    /// The descriptor of the plan that the supervisor leaves.
    private static let planDescriptor: Int32 = 3
    /// The longest accepted plan.
    private static let maximumPlanBytes = 4 * 1024 * 1024

    /// Prints the types with `--describe`, else runs the class's worker until it is ended.
    public static func run(class taskClass: TaskClass, types: [any ScheduledTask.Type]) -> Never {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.elementsEqual(["--describe"]) {
            print(TypeDescription.json(class: taskClass, types: types).text())
            exit(0)
        }
        guard arguments.isEmpty else {
            WorkerLog.write("usage: aico-worker-\(taskClass.name) [--describe]")
            exit(ExitCode.usage)
        }
        do {
            try work(taskClass, types)
        } catch {
            WorkerLog.write("\(error)")
            exit(ExitCode.internalError)
        }
    }

    private static func work(
        _ taskClass: TaskClass, _ types: [any ScheduledTask.Type]
    ) throws -> Never {
        try check(taskClass, types)
        let plan = try PlanCodec.decode(try readPlan())
        guard plan.classIndex == taskClass.rawValue else {
            throw WorkerError(description: "the plan on descriptor 3 is of another class")
        }
        // The fork server comes first: libzmq's threads must not exist where it forks.
        let forkServer = try ForkServer.split(
            plan: plan, prewarm: { RuntimePrewarm.run(types) },
            prewarmConfined: { RuntimePrewarm.runConfined(types) },
            task: { descriptor in TaskMain.run(types, descriptor: descriptor) })
        // Only in this half: a command must not inherit ignored signals. Orphans of attempts come
        // to this process where it is pid 1; ignoring SIGCHLD has the kernel reap them.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGCHLD, SIG_IGN)
        work(as: try Worker(types: types, plan: plan, forkServer: forkServer))
    }

    /// Works to the end. The word and the exit come before anything of the worker's is closed: what
    /// it lacks may be needed for that.
    private static func work(as worker: Worker) -> Never {
        do {
            try worker.run()
        } catch {
            WorkerLog.write("\(error)")
            exit(ExitCode.internalError)
        }
        WorkerLog.write("the fork server is gone; ending")
        exit(ExitCode.forkServerGone)
    }

    private static func check(
        _ taskClass: TaskClass, _ types: [any ScheduledTask.Type]
    ) throws {
        for type in types {
            let id = try TaskID(type.id)
            guard id.taskClass == taskClass else {
                throw WorkerError(
                    description: "type \"\(id)\" is not of class \(taskClass.name)")
            }
            guard !Canary.isType(type.id) else {
                throw WorkerError(description: "the id \"\(id)\" is the class's canary's")
            }
        }
    }

    private static func readPlan() throws(WorkerError) -> [UInt8] {
        let plan = FileDescriptor(rawValue: planDescriptor)
        do throws(Errno) {
            if let bytes = try plan.content(limit: maximumPlanBytes) { return bytes }
        } catch {
            throw WorkerError(
                description: "cannot read the plan on descriptor 3: \(error); "
                    + "the supervisor starts workers")
        }
        throw WorkerError(description: "the plan is longer than \(maximumPlanBytes) bytes")
    }
}

/// Why a worker cannot work, as one sentence.
struct WorkerError: Error, CustomStringConvertible {
    let description: String
}
