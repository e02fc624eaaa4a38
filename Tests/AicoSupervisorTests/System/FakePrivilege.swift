// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import CLinux
import Glibc
import LinuxSystem
import SandboxProfiles
import Synchronization
import SystemPackage

@testable import AicoSupervisor
@testable import LinuxSandbox

/// Rights that change nothing of the machine's: all users are numbers, directories stay whose they
/// are, and a program that is started is what answers in its place.
final class FakePrivilege: Privilege {
    /// What was asked, in order.
    var asked: [String] { state.withLock { $0 } }
    private let state = Mutex<[String]>([])
    private let scratch: ScratchDirectory
    private let refused: String?
    private let hanging: String?
    private let leaked: String?
    private let kinds: [TaskClass: UInt32]

    /// - Parameters:
    ///   - refused: what is refused, by its word in `asked`.
    ///   - hanging: the program that answers nothing, by its word there.
    ///   - leaked: what workers hold open of the host; without it none comes to be.
    init(
        _ scratch: ScratchDirectory, refusing refused: String? = nil,
        hanging: String? = nil, leaking leaked: String? = nil
    ) {
        self.scratch = scratch
        self.refused = refused
        self.hanging = hanging
        self.leaked = leaked
        kinds = Dictionary(
            uniqueKeysWithValues: TaskClass.allCases.map { ($0, 61001 + UInt32($0.rawValue)) })
    }

    private func ask(_ words: String) -> Bool {
        state.withLock { $0.append(words) }
        return words != refused
    }

    private static func refusal(_ subject: String) -> SupervisorError {
        SupervisorError(operation: "ask for", subject: subject, reason: .errno(.permissionDenied))
    }

    // MARK: - Set-up

    let lack: String? = nil

    /// Whoever runs the test.
    var trustedOwners: Set<UInt32> { [0, geteuid()] }

    func identities(from compiler: Compiler) throws(SupervisorError) -> Identities {
        guard ask("identities") else { throw Self.refusal("identities") }
        let words = [UInt32](61000...61005).flatMap { [$0, $0] }
        let bytes = words.flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
        }
        guard let identities = Identities(decoding: bytes) else {
            throw Self.refusal("identities")
        }
        return identities
    }

    func show(
        executables: String, profiles: String, root: String
    ) throws(SupervisorError) -> (executables: String, profiles: String) {
        guard ask("show") else { throw Self.refusal("mounts") }
        return (executables, profiles)
    }

    func give(_ directory: borrowing Directory, to entry: Layout.Entry) throws(SystemError) {
        guard ask("give \(entry.path)") else {
            throw SystemError("change the owner of", entry.path, .permissionDenied)
        }
    }

    func takeCgroups(root: String, instance: String) throws -> CgroupTree {
        guard ask("cgroups") else { throw Self.refusal("cgroups") }
        let tree = try CgroupTree(
            layout: .discover(), root: "/fake-\(getpid())-\(root)", instance: instance)
        try tree.create()
        return tree
    }

    // MARK: - Processes

    func start(_ program: Launch) throws(LaunchError) -> LaunchedProcess {
        let name = program.path.split(separator: "/").last.map(String.init) ?? ""
        let count = program.arguments.first == "--class" ? 2 : 1
        let words = ([name] + program.arguments.prefix(count)).joined(separator: " ")
        let asked = "start \(words) as \(program.userID)"
        guard ask(asked), let output = program.output else {
            throw LaunchError(layer: .identity, errno: EPERM, detail: "asked for")
        }
        do {
            if asked == hanging { return try Self.sleeper(output: output) }
            return try print(try answer(to: program.arguments), to: output)
        } catch {
            throw LaunchError(layer: .session, errno: EIO, detail: "\(error)")
        }
    }

    func start(_ worker: WorkerLaunch) throws(LaunchError) -> LaunchedClass {
        _ = ask("start worker \(worker.executable)")
        guard let leaked else {
            throw LaunchError(layer: .namespaces, errno: EUSERS, detail: "asked for")
        }
        do {
            let process = try Self.sleeper(holding: leaked)
            let group = worker.cgroups.worker.entry.cloneDescriptor
            let members = Descriptor(owning: openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC))
            try members.write(Array("\(process.pid)".utf8))
            return LaunchedClass(process: process, grants: nil)
        } catch {
            throw LaunchError(layer: .session, errno: EIO, detail: "\(error)")
        }
    }

    /// A process that holds /dev/null, and at most one thing more, and does nothing for long.
    static func sleeper(
        output: Int32? = nil, holding path: String = "/dev/null"
    ) throws -> LaunchedProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
        if let output { posix_spawn_file_actions_adddup2(&actions, output, 1) }
        posix_spawn_file_actions_addopen(&actions, 3, path, O_RDONLY, 0)
        _ = aico_spawn_close_from(&actions, 4)
        let words: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("100"), nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let code = posix_spawn(&process, "/usr/bin/sleep", &actions, nil, words, environ)
        guard code == 0 else { throw Errno(rawValue: code) }
        return LaunchedProcess(pid: process, pidfd: aico_pidfd_open(process))
    }

    /// What the compiler and workers that are asked for their types answer.
    private func answer(to arguments: [String]) throws -> [UInt8] {
        if arguments[0] == "--filters" {
            return FilterCodec.encode(try SystemFilters.compile())
        }
        if arguments[0] == "--describe" { return Array("[]".utf8) }
        if arguments[0] == "--workers" { return WorkerListCodec.encode(WorkerID.shipped) }
        guard let taskClass = TaskClass(name: arguments[1]), let number = kinds[taskClass] else {
            throw Self.refusal(arguments[1])
        }
        let plan = try ProfileCompiler.compile(
            class: taskClass, profilesDirectory: arguments[3],
            paths: InstancePaths(
                root: "\(scratch.path)/root", executables: arguments[5], profiles: arguments[3]),
            identities: ClassIdentities([taskClass: .init(userID: number, groupID: number)]))
        return PlanCodec.encode(plan)
    }

    /// Has a process write bytes to a descriptor.
    private func print(_ bytes: [UInt8], to output: Int32) throws -> LaunchedProcess {
        let file = "\(scratch.path)/answer-\(asked.count)"
        let made = Descriptor(owning: open(file, O_CREAT | O_EXCL | O_WRONLY, 0o600))
        try made.write(bytes)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        let words: [UnsafeMutablePointer<CChar>?] = [strdup("cat"), strdup(file), nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let code = posix_spawn(&process, "/usr/bin/cat", &actions, nil, words, environ)
        guard code == 0 else { throw Errno(rawValue: code) }
        return LaunchedProcess(pid: process, pidfd: aico_pidfd_open(process))
    }
}
