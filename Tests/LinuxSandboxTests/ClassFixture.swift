// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import SandboxProfiles
import Synchronization

@testable import LinuxSandbox

/// One class on the real kernel: its cgroups, and whatever program stands in its worker's place.
final class ClassFixture {
    let tree: CgroupTree
    let cgroups: WorkerCgroups
    var plan: Plan
    private var launched: LaunchedClass?
    private let output: (read: Int32, write: Int32)

    /// A plan as the compiler makes it, with a filter that allows everything.
    static func plan(userNamespace: Bool = false) -> Plan {
        var plan = Plan()
        plan.classIndex = userNamespace ? 3 : 0
        plan.userID = 61004
        plan.groupID = 61004
        plan.hasUserNamespace = userNamespace
        plan.mounts = [
            PlanMount(kind: .bindReadOnly, source: "/usr", target: "/usr"),
            PlanMount(kind: .symlink, source: "usr/bin", target: "/bin"),
            PlanMount(kind: .symlink, source: "usr/lib", target: "/lib"),
            PlanMount(kind: .symlink, source: "usr/lib64", target: "/lib64"),
            PlanMount(kind: .device, source: "/dev/null", target: "/dev/null"),
            PlanMount(kind: .proc, source: "", target: "/proc"),
            PlanMount(kind: .temporary, source: "", target: "/tmp", sizeBytes: 1 << 20),
        ]
        plan.classLimits.memoryBytes = 256 << 20
        plan.classLimits.processes = 64
        plan.attemptLimits.memoryBytes = 64 << 20
        plan.attemptLimits.processes = 8
        plan.concurrency = 2
        let allow = FilterInstruction(code: 6, jumpTrue: 0, jumpFalse: 0, constant: 0x7FFF_0000)
        plan.workerFilter = [allow]
        plan.taskFilter = [allow]
        return plan
    }

    init(plan: Plan) throws {
        self.plan = plan
        let layout = try CgroupLayout.discover()
        tree = try CgroupTree(
            layout: layout, root: "/class-fixture-\(getpid())-\(Self.next())",
            instance: "")
        try tree.create()
        cgroups = try tree.makeWorker("worker", of: "fixture", plan: plan)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FixtureError(errno: errno) }
        output = (ends[0], ends[1])
    }

    private static let keeperFilter = Result { try SystemFilters.compile().keeper }
    private static let count = Atomic(0)
    private static func next() -> Int {
        count.add(1, ordering: .relaxed).newValue
    }

    /// Starts a program in the worker's place.
    @discardableResult
    func launch(
        _ executable: String, _ arguments: [String] = [],
        patience: Duration = Launch.patience, modes: [String: UInt32] = [:],
        planting planted: CgroupDirectory? = nil,
        permitting permit: @escaping GrantKeeper.Permit = { _, _ in true }
    ) throws -> LaunchedClass {
        let launched = try ClassLauncher.launch(
            plan: plan, planBytes: PlanCodec.encode(plan), endpoints: "/mnt",
            cgroups: planted.map { self.cgroups(planting: $0) } ?? cgroups,
            executable: executable, arguments: arguments,
            environment: ["PATH=/usr/bin"] + Self.sanitizer,
            logDescriptor: output.write, patience: patience, modes: modes, permitting: permit,
            keeperFilter: try Self.keeperFilter.get())
        self.launched = launched
        return launched
    }

    /// The worker's cgroups with, in the last one's place, a directory that a launch must not pass on.
    private func cgroups(planting planted: CgroupDirectory) -> WorkerCgroups {
        let own = cgroups.descriptors.map {
            CgroupDirectory(owning: fcntl($0, F_DUPFD_CLOEXEC, 3), label: "cgroup")
        }
        return WorkerCgroups(
            directories: own.dropLast() + [planted], worker: cgroups.worker, group: cgroups.group)
    }

    /// What scripts/sanitize tells the sanitizers of the programs that it built.
    private static let sanitizer: [String] = {
        guard let options = getenv("ASAN_OPTIONS") else { return [] }
        return ["ASAN_OPTIONS=" + String(cString: options)]
    }()

    /// Starts a program that stands still, and returns once its own code runs.
    ///
    /// The launch ends in the midst of exec: whose files the process's are and what capabilities it
    /// has is settled, and the loader's files are closed, only when the program itself says a word.
    func launchAtRest(planting planted: CgroupDirectory? = nil) throws -> LaunchedClass {
        let launched = try launch(
            "/usr/bin/bash", ["-c", "sleep 1000 & echo running; wait"], planting: planted)
        let said = output(until: "running")
        guard said == ["running"] else { throw FixtureError(errno: ENOEXEC) }
        return launched
    }

    /// What a shell script prints as the worker of the class; its end is awaited.
    func shell(_ script: String) throws -> String {
        try output(of: "/usr/bin/bash", ["-c", "exec 2>&1; " + script])
    }

    /// What a program prints as the worker of the class; its end is awaited.
    func output(of executable: String, _ arguments: [String]) throws -> String {
        let launched = try launch(executable, arguments)
        var waiting = pollfd(fd: launched.pidfd, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, 60_000)
        return drain()
    }

    /// What was launched last is waited for already.
    func forget() { launched = nil }

    /// What a launched program prints until it prints a line that begins with `word`.
    func output(until word: String) -> [String] {
        var lines: [String] = []
        var text: [UInt8] = []
        var byte: UInt8 = 0
        while read(output.read, &byte, 1) == 1 {
            guard byte == UInt8(ascii: "\n") else {
                text.append(byte)
                continue
            }
            lines.append(String(decoding: text, as: UTF8.self))
            text.removeAll()
            if lines.last?.hasPrefix(word) == true { break }
        }
        return lines
    }

    private func drain() -> String {
        _ = fcntl(output.read, F_SETFL, O_NONBLOCK)
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(output.read, &buffer, buffer.count)
            guard count > 0 else { break }
            text.append(contentsOf: buffer[..<count])
        }
        return String(decoding: text, as: UTF8.self)
    }

    deinit {
        if let launched {
            _ = aico_pidfd_signal(launched.pidfd, SIGKILL)
            var status: Int32 = 0
            waitpid(launched.pid, &status, 0)
            close(launched.pidfd)
        }
        close(output.read)
        close(output.write)
        try? tree.remove()
    }
}

extension ClassFixture {
    /// Names of the cgroups in the class's own, of all trees.
    var cgroupNames: [String] {
        tree.layout.trees.flatMap { path in
            let own = "\(path)/\(tree.parentName)/\(cgroups.group)"
            return entries(of: own).filter { readFile("\(own)/\($0)/cgroup.procs") != nil }
        }
    }

    /// The slots that have a leaf ready for an attempt, as "s0".
    var readySlots: Set<Substring> {
        Set(cgroupNames.filter(Self.isLeaf).map { $0.prefix { $0 != "." } })
    }

    /// Whether a path or a name leads to an attempt's leaf, or into one.
    static func isLeaf(_ path: String) -> Bool { path.contains(/(^|\/)s[0-9]+(\.[0-9]+)?(\/|$)/) }

    /// The number of processes once it is what is expected, or when patience ends.
    func settledProcessCount(_ expected: Int) -> Int {
        let deadline = ContinuousClock.now + .seconds(10)
        while processCount() != expected, ContinuousClock.now < deadline { sched_yield() }
        return processCount()
    }

    /// Processes in the class's v2 cgroups, as the host sees them.
    func processCount() -> Int {
        let group = "\(tree.layout.unified)/\(tree.parentName)/\(cgroups.group)"
        return entries(of: group).reduce(0) { count, name in
            count + (readFile("\(group)/\(name)/cgroup.procs") ?? "").split(separator: "\n").count
        }
    }
}

/// A new directory below /tmp.
func makeTemporaryDirectory() -> String? {
    var template = Array("/tmp/aico-sandbox-XXXXXX".utf8CString)
    return mkdtemp(&template).map { String(cString: $0) }
}

/// Names in a directory.
func entries(of path: String) -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        names.append(
            withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            })
    }
    return names.filter { $0 != "." && $0 != ".." }
}

/// What the host sees of a process: the fields of /proc/PID/status.
func hostStatus(_ processID: Int32) -> [String: String] {
    var fields: [String: String] = [:]
    for line in (readFile("/proc/\(processID)/status") ?? "").split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { continue }
        fields[String(parts[0])] = parts[1].split(whereSeparator: { $0 == "\t" || $0 == " " })
            .joined(separator: " ")
    }
    return fields
}

/// The text of a file that may have no size, as those of /proc.
func readFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { break }
        text.append(contentsOf: buffer[..<count])
    }
    return String(decoding: text, as: UTF8.self)
}

/// The target of a symbolic link.
func linkTarget(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = readlink(path, &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
}
