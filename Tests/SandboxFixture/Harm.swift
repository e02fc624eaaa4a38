// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// What a task process may do to its host or its class with calls that it is allowed.
enum Harm {
    /// Writes code through one mapping of a page and runs it through another.
    static func runWrittenCode() -> String {
        #if arch(x86_64)
            let code: [UInt8] = [0xB8, 42, 0, 0, 0, 0xC3]  // mov eax, 42; ret
        #else
            let code: [UInt8] = [0x40, 0x05, 0x80, 0x52, 0xC0, 0x03, 0x5F, 0xD6]
        #endif
        let size = 4096
        let flags = MAP_SHARED | MAP_ANONYMOUS
        guard let page = mmap(nil, size, PROT_READ | PROT_EXEC, flags, -1, 0), page != MAP_FAILED
        else { return "errno \(errno)" }
        let moveable = 1  // MREMAP_MAYMOVE; with an old size of 0 the page is there twice
        let address = Attack.call(Int(SYS_mremap), Int(bitPattern: page), 0, size, moveable)
        guard let alias = UnsafeMutableRawPointer(bitPattern: address), address > 0,
            mprotect(alias, size, PROT_READ | PROT_WRITE) == 0
        else { return "errno \(errno) later" }
        alias.copyMemory(from: code, byteCount: code.count)
        let function = unsafeBitCast(page, to: (@convention(c) () -> Int32).self)
        return "ran \(function())"
    }

    /// `PID NUMBER`: how many mount namespaces there may be in a process's user namespace. By one
    /// who enters it and executes nothing: what it may do there would not outlive that.
    static func limitNamespaces(_ text: String) -> String {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 2 else { return "no number" }
        let space = open("/proc/\(words[0])/ns/user", O_RDONLY | O_CLOEXEC)
        guard space >= 0, Attack.call(Int(SYS_setns), Int(space), 0x1000_0000) == 0 else {
            return "errno \(errno) of setns"
        }
        let file = open("/proc/sys/user/max_mnt_namespaces", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return "errno \(errno) of open" }
        let bytes = Array(words[1].utf8)
        return Scenario.outcome(Int32(Glibc.write(file, bytes, bytes.count)))
    }

    /// O_TMPFILE of <asm-generic/fcntl.h>.
    private static let temporary = 0o2000_0000 | O_DIRECTORY

    /// `CALL PATH OCTAL`: gives a mode to a new file or directory, or to one just made.
    static func makeSpecial(_ text: String) -> String {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 3, let mode = mode_t(words[2], radix: 8) else { return "no mode" }
        let path = words[1]
        switch words[0] {
        case "open": return Scenario.outcome(open(path, O_WRONLY | O_CREAT, mode))
        case "temporary": return Scenario.outcome(open(path, O_WRONLY | temporary, mode))
        case "creat": return Scenario.outcome(creat(path, mode))
        case "mkdir": return Scenario.outcome(mkdir(path, mode))
        case "mkdirat": return Scenario.outcome(mkdirat(AT_FDCWD, path, mode))
        default: break
        }
        let file = open(path, O_WRONLY | O_CREAT, 0o600)
        guard file >= 0 else { return "no file: errno \(errno)" }
        switch words[0] {
        case "chmod": return Scenario.outcome(chmod(path, mode))
        case "fchmod": return Scenario.outcome(fchmod(file, mode))
        case "fchmodat": return Scenario.outcome(fchmodat(AT_FDCWD, path, mode, 0))
        default: return "unknown call"
        }
    }

    /// Sends descriptors that nobody receives until the kernel takes no more; then stays.
    static func keepDescriptorsInFlight(_ channel: Int32) -> Never {
        var ends: [Int32] = [-1, -1]
        _ = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
        var sent = 0
        while send253(ends[0]) { sent += 253 }
        stay(channel, saying: "\(sent) errno \(errno)")
    }

    /// As many as one message takes: SCM_MAX_FD.
    private static func send253(_ socket: Int32) -> Bool {
        let headerSize = MemoryLayout<cmsghdr>.size
        let length = headerSize + 253 * 4
        var control = [UInt8](repeating: 0, count: length + 4)
        var header = cmsghdr()
        header.cmsg_len = length
        header.cmsg_level = SOL_SOCKET
        header.cmsg_type = 1  // SCM_RIGHTS
        control.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: header, as: cmsghdr.self)
            for index in 0..<253 {
                bytes.storeBytes(of: socket, toByteOffset: headerSize + 4 * index, as: Int32.self)
            }
        }
        var byte: UInt8 = 0
        return control.withUnsafeMutableBytes { control in
            withUnsafeMutablePointer(to: &byte) { byte in
                var part = iovec(iov_base: byte, iov_len: 1)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    return sendmsg(socket, &message, Int32(MSG_DONTWAIT)) == 1
                }
            }
        }
    }

    /// Takes memory and keeps it.
    /// Leaves a file, says so, and stays.
    static func keep(_ path: String, _ channel: Int32) -> Never {
        let made = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        stay(channel, saying: "kept \(made >= 0)")
    }

    /// Leaves what is hard to remove: depth, many names, directories closed to their owner.
    static func litter(_ path: String) -> String {
        var directory = path
        for _ in 0..<50 {
            directory += "/d"
            // Until its share of the directory is full.
            if mkdir(directory, 0o700) != 0 { break }
            for number in 0..<2 { close(open("\(directory)/\(number)", O_CREAT | O_WRONLY, 0)) }
        }
        chmod(directory, 0)
        chmod("\(path)/d", 0)
        return "littered"
    }

    static func hold(megabytes: Int, _ channel: Int32) -> Never {
        take(megabytes: megabytes)
        stay(channel, saying: "holds \(megabytes)")
    }

    /// Touches memory that is never given back.
    static func take(megabytes: Int) {
        guard let memory = malloc(megabytes << 20) else { exit(6) }
        memset(memory, 1, megabytes << 20)
    }

    private static func stay(_ channel: Int32, saying text: String) -> Never {
        var bytes = Array(text.utf8)
        send(channel, &bytes, bytes.count, Int32(MSG_NOSIGNAL))
        while true { pause() }
    }
}
