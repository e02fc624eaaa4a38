// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoKeys
import AicoStore
import AicoWire
import Glibc
import Logging

/// The executable `aico-scheduler`: reads its arguments, builds a scheduler, runs it.
package enum SchedulerProgram {
    /// Exit statuses, as of sysexits.h.
    enum Status {
        static let done: Int32 = 0
        static let usage: Int32 = 64
        static let software: Int32 = 70
        static let configuration: Int32 = 78
    }

    /// Runs until the system stops; gives the exit status.
    package static func run(_ arguments: [String]) -> Int32 {
        let options: SchedulerArguments
        do throws(SchedulerError) {
            options = try SchedulerArguments(arguments.dropFirst())
        } catch {
            complain(error.description)
            return Status.usage
        }
        let configuration: Configuration
        do throws(ConfigurationError) {
            configuration = try Configuration.load(root: options.root)
        } catch {
            complain("\(error)")
            return Status.configuration
        }
        // Before anything of ours can have its number.
        let descriptions = [WorkerDescription].inherited()
        if options.isCheck {
            return check(configuration, options: options, descriptions: descriptions)
        }
        // Before anything is opened: a relaunch would meet the same again.
        let obstacles = Endpoints(configuration, workers: options.workers).problems()
        for obstacle in obstacles { complain("\(obstacle)") }
        guard obstacles.isEmpty else { return Status.configuration }
        if let problem = KeyRing.problem(layout: configuration.layout) {
            complain("\(problem)")
            return Status.configuration
        }
        // Files and sockets are for owner and group; directories decide which group that is.
        umask(0o007)
        // A client that goes away must not end us.
        signal(SIGPIPE, SIG_IGN)
        let log = logger(configuration)
        for warning in warnings(configuration, options: options) {
            log.warning("a setting cannot work as it is", metadata: ["why": "\(warning)"])
        }
        do {
            let scheduler = try Scheduler(
                configuration: configuration, workers: options.workers,
                channel: SupervisorChannel.inherited,
                monitor: ProcResourceMonitor(now: WallClock.uptime), log: log)
            if let profiles = options.profileDirectory {
                // After the keys were made.
                BaselineRecorder(
                    layout: configuration.layout, executables: options.binDirectory,
                    profiles: profiles, log: log
                ).begin()
            }
            scheduler.discover(descriptions ?? [])
            return run(scheduler)
        } catch {
            complain("\(error)")
            return status(of: error)
        }
    }

    /// Runs until the system stops. The word of a failure and the exit come before anything of the
    /// scheduler's is closed: where no descriptor is left, a store that closes has libdispatch end
    /// the process by a trap.
    private static func run(_ scheduler: Scheduler) -> Int32 {
        do {
            return try scheduler.run()
        } catch {
            complain("\(error)")
            exit(status(of: error))
        }
    }

    /// The exit status after an error: without its keys no start of a scheduler comes further.
    static func status(of error: any Error) -> Int32 {
        switch error {
        case let error as StoreError where error.cause == .wrongKey: Status.configuration
        case KeyError.masterKeyMissing, KeyError.masterKeyWrong, KeyError.malformedFile,
            KeyError.unsafeFile:
            Status.configuration
        default: Status.software
        }
    }

    /// Says what of settings, endpoints and keys is wrong, and changes nothing.
    private static func check(
        _ configuration: Configuration, options: SchedulerArguments,
        descriptions: [WorkerDescription]?
    ) -> Int32 {
        let warnings =
            warnings(configuration, options: options)
            + typeWarnings(configuration, options: options, descriptions)
        let layout = configuration.layout
        let ownKeys = [
            KeyRing.problem(layout: layout), BusKeys.serverProblem(directory: layout.keys),
        ].compactMap { $0?.description }
        let clientKeys = ClientKeys.read(directory: layout.keys).problems.map(\.description)
        let endpoints = Endpoints(configuration, workers: options.workers)
        // A system that runs has them itself.
        let obstacles = endpoints.isServed ? [] : endpoints.problems().map { $0.description }
        let problems = ownKeys + clientKeys + obstacles
        for text in warnings { complain("warning: \(text)") }
        for problem in problems { complain(problem) }
        return problems.isEmpty ? Status.done : Status.configuration
    }

    /// What is wrong with the workers' types, where the supervisor has asked for them.
    private static func typeWarnings(
        _ configuration: Configuration, options: SchedulerArguments,
        _ descriptions: [WorkerDescription]?
    ) -> [String] {
        guard configuration.scheduler.autoDiscover, let descriptions else { return [] }
        return Registry(options.workers, described: descriptions).problems
    }

    private static func warnings(
        _ configuration: Configuration, options: SchedulerArguments
    ) -> [String] {
        configuration.warnings(at: WallClock.now)
            + configuration.timeoutWarnings(limits: options.timeLimits)
            // Without a directory nobody looks for workers.
            + (options.binDirectory.isEmpty
                ? [] : configuration.executableWarnings(in: options.binDirectory))
    }

    private static func logger(_ configuration: Configuration) -> Logger {
        let settings = configuration.logging
        let file = LogFile(
            path: "\(configuration.layout.logs)/scheduler.log",
            maximumBytes: settings.maximumFileBytes, kept: settings.keptFiles)
        var logger = Logger(label: "aico.scheduler") { label in
            MultiplexLogHandler([
                StreamLogHandler.standardError(label: label), FileLogHandler(file: file),
            ])
        }
        logger.logLevel = Logger.Level(rawValue: settings.level.rawValue) ?? .info
        return logger
    }

    private static func complain(_ text: String) {
        let line = Array("aico-scheduler: \(text)\n".utf8)
        _ = write(2, line, line.count)
    }
}

/// What the supervisor passes on the command line.
struct SchedulerArguments: Equatable {
    var root = ""
    var binDirectory = ""
    var profileDirectory: String?
    var isCheck = false
    /// The longest attempt that a class's profile permits.
    var timeLimits: [TaskClass: Duration] = [:]
    /// By their numbers.
    var workers = WorkerID.shipped

    init(_ arguments: some Sequence<String>) throws(SchedulerError) {
        var rest = Array(arguments)[...]
        var names: [String] = []
        while let name = rest.popFirst() {
            switch name {
            case "--check": isCheck = true
            case "--worker":
                guard let value = rest.popFirst() else {
                    throw SchedulerError("use", name, "it needs a name")
                }
                names.append(value)
            case "--time-limit":
                let parts = rest.popFirst()?.split(separator: "=", maxSplits: 1) ?? []
                guard parts.count == 2, let taskClass = TaskClass(name: String(parts[0])),
                    let seconds = UInt32(parts[1])
                else { throw SchedulerError("use", name, "it needs CLASS=SECONDS") }
                timeLimits[taskClass] = .seconds(Int64(seconds))
            case "--root", "--bin", "--profiles":
                guard let value = rest.popFirst() else {
                    throw SchedulerError("use", name, "it needs a directory")
                }
                switch name {
                case "--root": root = value
                case "--bin": binDirectory = value
                default: profileDirectory = value
                }
            default:
                throw SchedulerError(
                    "use", name,
                    "known are --root, --bin, --profiles, --worker, --time-limit and --check")
            }
        }
        do throws(WorkerIDError) {
            workers = try WorkerID.list(beside: names)
        } catch {
            throw SchedulerError("use", "--worker", error.description)
        }
    }
}
