// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// What a task process of the fixture tries.
enum Scenario {
    // PR_GET_SECUREBITS and PR_GET_PDEATHSIG of linux/prctl.h.
    private static let getSecurebits = 27
    private static let getDeathSignal = 2

    /// The life of a task process: reads a scenario's name, says what came of it, leaves.
    static func serve(_ channel: Int32) -> Never {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(channel, &buffer, buffer.count, 0)
        var said = Array(run(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)).utf8)
        send(channel, &said, said.count, Int32(MSG_NOSIGNAL))
        exit(0)
    }

    static func run(_ scenario: String) -> String {
        let words = scenario.split(separator: " ", maxSplits: 1).map(String.init)
        let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let argument = words.count > 1 ? words[1].replacing("$TMPDIR", with: temporary) : ""
        switch words.first?.replacing("!kill", with: "") ?? "" {
        case "nothing": return "nothing"
        case "status":
            return fields(
                of: "/proc/self/status",
                [
                    "Uid", "Gid", "Groups", "NSpid", "CapInh", "CapPrm", "CapEff", "CapBnd",
                    "CapAmb", "NoNewPrivs", "Seccomp", "NSsid",
                ])
        case "namespaces":
            return ["pid", "mnt", "ipc", "user", "net"].map { link("/proc/self/ns/\($0)") }
                .joined(separator: " ")
        case "descriptors":
            return (0..<1024).filter { fcntl($0, F_GETFD) >= 0 }.map(String.init)
                .joined(separator: " ")
        case "targets":
            return (0...3).map { link("/proc/self/fd/\($0)") }.joined(separator: " ")
        case "mounts": return text(of: "/proc/self/mountinfo")
        case "limits":
            return [4, 8, 7, 1]  // CORE, MEMLOCK, NOFILE, FSIZE
                .map { limit($0) }
                .joined(separator: " ")
        case "securebits": return "\(Attack.call(Int(SYS_prctl), getSecurebits))"
        case "deathsignal":
            var signal: Int32 = 0
            withUnsafeMutablePointer(to: &signal) {
                _ = Attack.call(Int(SYS_prctl), getDeathSignal, Int(bitPattern: $0))
            }
            return "\(signal)"
        case "call": return Attack.call(text: argument)
        case "keeper": return KeeperCalls.run(filter: argument)
        case "cwd": return link("/proc/self/cwd")
        case "list": return list(argument)
        case "text": return text(of: argument)
        case "close": return outcome(chmod(argument, 0))
        case "read": return outcome(open(argument, O_RDONLY))
        case "write": return outcome(open(argument, O_WRONLY | O_CREAT, 0o600))
        case "fill": return fill(argument)
        case "memory": return useMemory(megabytes: Int(argument) ?? 0)
        case "forks": return fork(upTo: Int(argument) ?? 0)
        case "orphan": return orphan()
        case "mkdir": return outcome(mkdir(argument, 0o700))
        case "findkey": return Attack.findKey(argument)
        case "keyring": return "\(Attack.sessionKeyring())"
        case "abstract": return Attack.connectAbstract(argument)
        case "tcp": return Attack.connectTCP(port: UInt16(argument) ?? 0)
        case "signal": return outcome(kill(Int32(argument) ?? 0, 0))
        case "setuid": return outcome(Int32(Attack.call(Int(SYS_setuid), 0)))
        case "mount": return outcome(mount("none", "/tmp", "tmpfs", 0, nil))
        case "core": abort()
        case "namespaceLimit": return Harm.limitNamespaces(argument)
        case "wx": return Harm.runWrittenCode()
        case "mode": return Harm.makeSpecial(argument)
        case "setlimit": return setLimit(argument)
        case "flood": Harm.keepDescriptorsInFlight(3)
        case "hold": Harm.hold(megabytes: Int(argument) ?? 0, 3)
        case "keep": Harm.keep("\(temporary)/mine", 3)
        case "litter": return Harm.litter(temporary)
        case "sleep": while true { pause() }
        case "async": return Concurrent.work()
        default: return "unknown scenario"
        }
    }

    /// `ok`, or the errno of a call that just failed.
    static func outcome(_ result: Int32) -> String { result >= 0 ? "ok" : "errno \(errno)" }

    static func fields(of path: String, _ names: [String]) -> String {
        var lines: [String] = []
        for line in text(of: path).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, names.contains(String(parts[0])) else { continue }
            let words = parts[1].split { $0 == " " || $0 == "\t" }
            lines.append("\(parts[0])=\(words.joined(separator: ","))")
        }
        return lines.joined(separator: " ")
    }

    static func text(of path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "errno \(errno)" }
        defer { close(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while case let count = read(file, &buffer, buffer.count), count > 0 {
            text.append(contentsOf: buffer.prefix(count))
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func link(_ path: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        return count < 0 ? "-" : String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    private static func limit(_ resource: Int32) -> String {
        var limit = rlimit()
        getrlimit(resource, &limit)
        return "\(limit.rlim_cur)/\(limit.rlim_max)"
    }

    /// `RESOURCE VALUE`, soft and hard.
    private static func setLimit(_ text: String) -> String {
        let words = text.split(separator: " ").compactMap { Int32($0) }
        guard words.count == 2 else { return "no limit" }
        var limit = rlimit(rlim_cur: rlim_t(words[1]), rlim_max: rlim_t(words[1]))
        return outcome(setrlimit(words[0], &limit))
    }

    static func list(_ path: String) -> String {
        guard let stream = opendir(path) else { return "errno \(errno)" }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted().joined(separator: " ")
    }

    /// Writes to a new file until that fails.
    private static func fill(_ path: String) -> String {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return "errno \(errno)" }
        let block = [UInt8](repeating: 1, count: 65_536)
        var total = 0
        while total < 40 << 20 {
            let count = Glibc.write(file, block, block.count)
            if count < 0 { return "\(total) errno \(errno)" }
            total += count
        }
        return "\(total) ok"
    }

    private static func useMemory(megabytes: Int) -> String {
        let size = megabytes << 20
        guard let memory = malloc(size) else { return "errno \(errno)" }
        memset(memory, 1, size)
        let last = memory.load(fromByteOffset: size - 1, as: UInt8.self)
        free(memory)
        return "touched \(megabytes) \(last)"
    }

    /// Forks until that fails; the children are ended again.
    private static func fork(upTo count: Int) -> String {
        var children: [pid_t] = []
        var failure = "ok"
        while children.count < count {
            let child = aico_fork()
            if child == 0 { while true { pause() } }
            if child < 0 {
                failure = "errno \(errno)"
                break
            }
            children.append(child)
        }
        for child in children {
            kill(child, SIGKILL)
            var status: Int32 = 0
            waitpid(child, &status, 0)
        }
        return "\(children.count) \(failure)"
    }

    /// Leaves a grandchild behind that would live for ever.
    private static func orphan() -> String {
        let child = aico_fork()
        if child == 0 {
            if aico_fork() == 0 {
                _ = setsid()
                while true { pause() }
            }
            _exit(0)
        }
        var status: Int32 = 0
        waitpid(child, &status, 0)
        return "left one"
    }
}
