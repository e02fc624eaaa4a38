// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc
import Testing

/// Random system calls with random arguments from inside, and what the host is like afterwards.
///
/// AICO_STORM_CALLS says how many each class makes, AICO_STORM_SEED repeats one.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct StormTests {
    private static let calls =
        getenv("AICO_STORM_CALLS").flatMap { Int(String(cString: $0)) }
        ?? (Built.isGuest ? 3000 : 100_000)

    private static let seed =
        getenv("AICO_STORM_SEED").flatMap { UInt64(String(cString: $0)) }
        ?? UInt64.random(in: 0...UInt64(UInt32.max))

    @Test func hostIsTheSameAfterStormsInClassesUserAndAgency() throws {
        print("storm: \(Self.calls) calls of each class, seed \(Self.seed)")
        let bin = try linkedExecutables()
        defer { removeTree(bin) }
        let built = try #require(Built.directory)
        unlink("\(bin)/aico-worker-agency")
        guard link("\(built)/storm-worker-agency", "\(bin)/aico-worker-agency") == 0 else {
            throw HostError(step: "link storm-worker-agency", errno: errno)
        }
        let instance = try Instance(executables: bin)
        guard
            instance.supervisor.waitForLine(
                "recorded the baseline", within: Built.patience(seconds: 60))
        else { throw SystemFailure("no baseline was recorded") }
        let bystanders = try [0, 61003, 61004].map(Bystander.init)
        var storms = [
            Storm(taskClass: "user", directory: "work"),
            Storm(taskClass: "agency", directory: "memory"),
        ]
        // Once each first: slots, pools and caches come to be with first use.
        for index in storms.indices { try storms[index].blow(calls: 1, seed: 0, in: instance) }
        let processes = try instance.client().request(topic: "supervisor.status", body: [:])
        let census = try LeakTests.Census.settled(instance)
        let host = try HostState(instance)

        for index in storms.indices {
            try storms[index].blow(calls: Self.calls, seed: Self.seed, in: instance)
            print("storm: \(storms[index])")
        }

        let left = try LeakTests.Census.settled(instance) {
            $0.descriptorCount <= mostDescriptors(leftIn: $0, beyond: census)
        }
        expectNothing(leftIn: left, beyond: census)
        let now = try instance.client().request(topic: "supervisor.status", body: [:])
        for member in ["pid", "restarts"] {
            for (was, isNow) in zip(
                processes["workers"]?.array ?? [], now["workers"]?.array ?? [])
            {
                #expect(was[member] == isNow[member], "\(was.text()) \(isNow.text())")
            }
        }
        #expect(processes["scheduler"]?["pid"] == now["scheduler"]?["pid"])
        #expect(processes["supervisor"]?["pid"] == now["supervisor"]?["pid"])
        let after = try HostState(instance)
        #expect(after.differences(from: host) == [])
        for bystander in bystanders { #expect(try bystander.isUntouched, "\(bystander)") }
        // And both classes still work.
        let ended = try instance.runToEnd("user.after", argv: ["/bin/echo", "calm"])
        #expect(ended.lines == ["calm"])
        try storms[1].blow(calls: 1, seed: 1, in: instance)
        #expect(instance.stop() == 0)
    }
}

/// A leaf for attempts comes to be where one begins before its predecessor's is empty: a few of them
/// may have come into use, with the files of each that the class holds open, and nothing else.
private func expectNothing(leftIn left: LeakTests.Census, beyond before: LeakTests.Census) {
    for path in Set(left.cgroups).subtracting(before.cgroups) {
        #expect(
            path.firstMatch(of: /class-(user|agency)\/aico-worker-(user|agency)\/s[0-9]$/) != nil,
            "\(path)")
    }
    var leaving = left
    leaving.cgroups = before.cgroups
    leaving.descriptors = before.descriptors
    #expect(leaving == before)
    #expect(Set(before.cgroups).isSubset(of: left.cgroups))
    #expect(
        left.descriptorCount <= mostDescriptors(leftIn: left, beyond: before),
        "\(left.descriptors) \(before.descriptors)")
    #expect(left.descriptors.count == before.descriptors.count)
}

/// By tree of a leaf: the directory and its files, fourteen in the four trees of a hybrid host.
private func mostDescriptors(
    leftIn left: LeakTests.Census, beyond before: LeakTests.Census
) -> Int {
    before.descriptorCount + 4 * Set(left.cgroups).subtracting(before.cgroups).count
}

extension LeakTests.Census {
    /// Of all processes.
    fileprivate var descriptorCount: Int {
        descriptors.reduce(0) { sum, line in
            sum + (line.split(separator: " ").last.flatMap { Int($0) } ?? 0)
        }
    }
}

/// A process of the host that no task can reach: root's, and those of the classes' own users.
private final class Bystander: CustomStringConvertible {
    private let process: HostProcess
    private let user: Int
    private let limits: String
    var description: String { "sleep of uid \(user)" }

    init(user: Int) throws {
        self.user = user
        process = try HostProcess(
            [
                "/usr/bin/setpriv", "--reuid", "\(user)", "--clear-groups", "/bin/sh", "-c",
                "echo here; exec sleep 100000",
            ])
        guard process.nextLine(within: Built.patience(seconds: 10)) == "here" else {
            throw SystemFailure("\(process.lines)")
        }
        limits = try Self.state(of: process.processID)
    }

    /// Limits, priority and processors.
    private static func state(of process: Int32) throws -> String {
        // What is pending counts for all of a user, and what is caught changes with exec.
        let names = ["Cpus_allowed", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "Uid", "Gid", "Cap"]
        let allowed = try textOfFile("/proc/\(process)/status").split(separator: "\n")
            .filter { line in names.contains { line.hasPrefix($0) } }
        let priority = getpriority(Int32(PRIO_PROCESS.rawValue), UInt32(process))
        return try textOfFile("/proc/\(process)/limits") + allowed.joined() + "\(priority)"
    }

    var isUntouched: Bool {
        get throws { try process.isRunning && Self.state(of: process.processID) == limits }
    }
}

/// Attempts of one class that make random calls, one after the other.
private struct Storm: CustomStringConvertible {
    let taskClass: String
    /// The class's own directory, where the calls are counted.
    let directory: String
    private var isMade = false
    private var attempts = 0
    /// Numbers of calls that end an attempt, found by what ended one.
    private var rare: Set<Int> = []
    /// How the attempts ended.
    private var ends: [String: Int] = [:]
    private var made = 0

    init(taskClass: String, directory: String) {
        self.taskClass = taskClass
        self.directory = directory
    }

    var description: String {
        let ends = ends.sorted { $0.value > $1.value }.prefix(8).map { "\($0.value) \($0.key)" }
        return "\(made) calls of class \(taskClass) in \(attempts) attempts: "
            + ends.joined(separator: ", ")
    }

    private func path(in instance: Instance) -> String {
        "\(instance.root)/var/lib/aico/\(directory)"
    }

    /// How many calls were made.
    private func count(in instance: Instance) -> Int {
        let bytes = (try? bytesOfFile("\(path(in: instance))/storm"))?.prefix(8) ?? []
        return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// Runs attempts until so many calls more were made.
    mutating func blow(calls: Int, seed: UInt64, in instance: Instance) throws {
        let client = try instance.client()
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.execution.finished")
        let end = made + calls
        var idle = 0
        while made < end {
            try change(end: end, seed: seed &+ UInt64(attempts), in: instance, client: client)
            let execution = try instance.run("\(taskClass).storm", client: client)
            try instance.waitForEnd(of: execution, events: events)
            attempts += 1
            let record = try instance.record(of: execution, client: client)
            note(record)
            let now = count(in: instance)
            idle = now > made ? 0 : idle + 1
            made = max(made, now)
            guard idle < 20 else { throw SystemFailure("no calls any more: \(record.data.text())") }
        }
    }

    private mutating func note(_ record: EndedExecution) {
        let cause = record.cause.isEmpty ? record.reason : record.cause
        let name = record.deniedCall.isEmpty ? cause : "denied"
        let detail = record.attempt["signal"]?.int ?? record.exitCode
        let end = name.isEmpty ? record.outcome : name
        ends[detail.map { "\(end) \($0)" } ?? end, default: 0] += 1
        if let number = record.attempt["cause"]?["number"]?.int { rare.insert(number) }
        // All of them held, whatever came then.
        #expect(record.attempt["layers"]?["missing"]?.array == [], "\(record.data.text())")
    }

    /// Makes the task, or gives it what the next attempt is to draw.
    private mutating func change(
        end: Int, seed: UInt64, in instance: Instance, client: BusClient
    ) throws {
        // Its own directory is the class's to close.
        chmod(path(in: instance), 0o2770)
        let list = rare.sorted().map(String.init).joined(separator: ",")
        let config: JSONValue =
            taskClass == "user"
            ? [
                "argv": .array(
                    [instance.probe, "storm", "\(seed)", "\(end)", "/aico/work/storm", list].map {
                        .string($0)
                    })
            ]
            : ["seed": .int(Int(seed)), "calls": .int(end), "rare": .string(list)]
        guard isMade else {
            isMade = true
            _ = try client.request(
                topic: "scheduler.task.create",
                body: [
                    "id": .string("\(taskClass).storm"), "schedule": "at:2999-01-01T00:00:00Z",
                    "type": taskClass == "user" ? "user.command" : "agency.storm",
                    "config": config,
                    "policies": ["retry": ["count": 0], "timeout": 60, "grace": 0],
                ])
            return
        }
        _ = try client.request(
            topic: "scheduler.task.update",
            body: ["task": .string("\(taskClass).storm"), "config": config])
    }
}

/// What of the host nothing inside may change.
private struct HostState {
    /// Mode, owner, size and time of change of each file, and texts of the kernel's.
    private var facts: [String: String] = [:]

    init(_ instance: Instance) throws {
        // Others of the machine may install something meanwhile, but not change these.
        for name in [
            "passwd", "shadow", "group", "gshadow", "sudoers", "sudoers.d", "ld.so.preload",
            "crontab", "cron.d", "hosts", "hostname", "resolv.conf", "localtime", "profile", "ssh",
        ] {
            add("/etc/\(name)")
        }
        for tree in [instance.probes, instance.bin, "\(instance.root)/etc"] { add(tree) }
        for part in ["keys", "integrity"] { add("\(instance.root)/var/lib/aico/\(part)") }
        for place in ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run"] {
            for name in (try? directoryEntries(place)) ?? [] {
                var status = stat()
                guard lstat("\(place)/\(name)", &status) == 0 else { continue }
                // Others of the machine come and go there.
                if (61000...61004).contains(status.st_uid) { facts["\(place)/\(name)"] = "there" }
            }
        }
        for file in [
            "/proc/sysvipc/shm", "/proc/sysvipc/sem", "/proc/sysvipc/msg", "/proc/self/mountinfo",
            "/proc/sys/kernel/tainted", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname",
            "/proc/sys/kernel/core_pattern", "/proc/swaps", "/proc/modules",
        ] {
            facts[file] = (try? textOfFile(file)) ?? "missing"
        }
    }

    private mutating func add(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        facts[path] =
            "\(status.st_mode) \(status.st_uid):\(status.st_gid) \(status.st_size) "
            + "\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
        guard status.st_mode & S_IFMT == S_IFDIR else { return }
        for name in (try? directoryEntries(path)) ?? [] { add("\(path)/\(name)") }
    }

    /// What is not as it was, a line each.
    func differences(from before: HostState) -> [String] {
        Set(facts.keys).union(before.facts.keys).sorted().compactMap { path in
            facts[path] == before.facts[path]
                ? nil : "\(path): \(before.facts[path] ?? "none") -> \(facts[path] ?? "none")"
        }
    }
}
