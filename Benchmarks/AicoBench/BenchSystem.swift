// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Foundation
import Glibc
import LinuxSandbox

/// A running system of the built executables.
final class BenchSystem {
    private let arguments: BenchArguments
    private let root: String
    private var supervisor: pid_t = 0

    init(_ arguments: BenchArguments) throws {
        self.arguments = arguments
        var template = Array("/tmp/aico-bench-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw BenchError("cannot make a directory") }
        root = String(cString: made)
        chmod(root, 0o755)
        // What holds tasks back on a busy machine is not what is measured.
        try FileManager.default.createDirectory(
            atPath: "\(root)/etc/aico", withIntermediateDirectories: true)
        try "scheduler:\n  max_cpu_percent: 100\n  max_memory_percent: 100\n".write(
            toFile: "\(root)/etc/aico/core.yaml", atomically: true, encoding: .utf8)
        // The first start makes keys and the store; only later ones are typical.
        try start()
        try create("user.first", schedule: "* * * * * *", argv: ["/bin/true"])
        end()
    }

    /// Starts it and waits until it answers.
    func start() throws {
        supervisor = try Spawn.start(
            [
                "\(arguments.bin)/aico-supervisor", "--root", root, "--profiles",
                arguments.profiles,
            ], output: "\(root)/supervisor.log")
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do {
                _ = try client().request(topic: "scheduler.stats", body: [:])
                return
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                rest(milliseconds: 2)
            }
        }
    }

    /// Seconds from the start of the supervisor to the start of a task that was missed meanwhile.
    func startToFirstTask() throws -> Double {
        rest(milliseconds: 1500)
        let began = Instant.now()
        try start()
        let client = try client()
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let status = try client.request(
                topic: "scheduler.task.status", body: ["task": "user.first"])
            let latest = status["executions"]?.array?.first
            if latest?["state"]?.string == "ended",
                let started = latest?["started_at"]?.string.flatMap({ Instant(iso8601: $0) }),
                started > began
            {
                try delete("user.first")
                return Double(started.microseconds - began.microseconds) / 1e6
            }
            rest(milliseconds: 20)
        }
        throw BenchError("the first task did not start; see \(root)/supervisor.log")
    }

    /// A path below its root.
    func path(of name: String) -> String { "\(root)/\(name)" }

    func client() throws -> BusClient { try BusClient.load(root: root, keyFile: nil) }

    func create(_ name: String, schedule: String, argv: [String]) throws {
        _ = try client().request(
            topic: "scheduler.task.create",
            body: [
                "id": .string(name), "schedule": .string(schedule),
                "config": ["argv": .array(argv.map { .string($0) })],
            ])
    }

    func delete(_ name: String) throws {
        _ = try client().request(
            topic: "scheduler.task.delete", body: ["task": .string(name)])
    }

    /// User and system time of all processes so far, in seconds.
    func processorTime() throws -> Double {
        var ticks = 0
        for process in try processes() {
            guard let text = Self.text("/proc/\(process)/stat"),
                let end = text.lastIndex(of: ")")
            else { continue }
            let fields = text[end...].split(separator: " ")
            ticks += (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)
        }
        return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Proportional set size of all processes, in megabytes.
    func proportionalMemory() throws -> Double {
        var kilobytes = 0
        for process in try processes() {
            let text = Self.text("/proc/\(process)/smaps_rollup") ?? ""
            for line in text.split(separator: "\n") where line.hasPrefix("Pss:") {
                kilobytes += line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            }
        }
        return Double(kilobytes) / 1024
    }

    private func processes() throws -> [pid_t] {
        let layout = try CgroupLayout.discover()
        let id = (Self.text("\(root)/var/lib/aico/instance") ?? "").prefix(32)
        let name = CgroupTree.parentName(root: root, instance: String(id))
        let parent = "\(layout.unified)/\(name)"
        var found = [supervisor]
        func walk(_ path: String) {
            for word in (Self.text("\(path)/cgroup.procs") ?? "").split(separator: "\n") {
                if let process = pid_t(word) { found.append(process) }
            }
            guard let stream = opendir(path) else { return }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if entry.pointee.d_type == DT_DIR, name != ".", name != ".." {
                    walk("\(path)/\(name)")
                }
            }
        }
        walk(parent)
        return found
    }

    private static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    func rest(seconds: Int) { rest(milliseconds: seconds * 1000) }

    /// Waits for three seconds in a row in which hardly anything runs, for a minute at most.
    func restUntilIdle() throws {
        var calm = 0
        var before = try processorTime()
        for _ in 0..<60 where calm < 3 {
            rest(seconds: 1)
            let now = try processorTime()
            calm = now - before < 0.05 ? calm + 1 : 0
            before = now
        }
    }

    func rest(milliseconds: Int) {
        usleep(useconds_t(milliseconds) * 1000)
    }

    private func end() {
        guard supervisor > 0 else { return }
        kill(supervisor, SIGTERM)
        var status: Int32 = 0
        while waitpid(supervisor, &status, 0) < 0, errno == EINTR {}
        supervisor = 0
    }

    func stop() {
        end()
        try? Spawn.run(["rm", "-rf", root])
    }
}

extension Instant {
    /// The wall clock.
    static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
