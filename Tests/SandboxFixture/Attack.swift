// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// System calls that a task process should not get through with.
enum Attack {
    /// The serial number of the session keyring, made where there is none; KEYCTL_GET_KEYRING_ID.
    static func sessionKeyring() -> Int {
        call(Int(SYS_keyctl), 0, -3, 1)
    }

    /// Looks for a key of type user; KEYCTL_SEARCH in KEY_SPEC_SESSION_KEYRING.
    static func findKey(_ name: String) -> String {
        "user".withCString { type in
            name.withCString { name in
                let found = call(
                    Int(SYS_keyctl), 10, -3, Int(bitPattern: type), Int(bitPattern: name))
                return found >= 0 ? "found" : "errno \(errno)"
            }
        }
    }

    /// Listens on an abstract unix socket until the process ends.
    static func listenAbstract(_ name: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        return withAbstractAddress(name) { bind(descriptor, $0, $1) } == 0
            && listen(descriptor, 16) == 0
    }

    private static func withAbstractAddress(
        _ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + Array(name.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// Connects to an abstract unix socket.
    static func connectAbstract(_ name: String) -> String {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return "errno \(errno)" }
        defer { close(descriptor) }
        return Scenario.outcome(
            withAbstractAddress(name) { Glibc.connect(descriptor, $0, $1) })
    }

    /// Connects to a port of 127.0.0.1.
    static func connectTCP(port: UInt16) -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        guard descriptor >= 0 else { return "errno \(errno)" }
        defer { close(descriptor) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Scenario.outcome(
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)))
            }
        }
    }

    /// A system call with up to six arguments.
    static func call(_ number: Int, _ arguments: Int...) -> Int {
        let padded = arguments + Array(repeating: 0, count: 6 - arguments.count)
        return aico_system_call(
            number, padded[0], padded[1], padded[2], padded[3], padded[4], padded[5])
    }

    /// `NUMBER A B ...`, as a test names it.
    static func call(text: String) -> String {
        let words = text.split(separator: " ").compactMap { Int($0) }
        guard let number = words.first else { return "no number" }
        let padded = words.dropFirst() + Array(repeating: 0, count: 7 - words.count)
        let arguments = Array(padded)
        let result = aico_system_call(
            number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
            arguments[5])
        return result >= 0 ? "result \(result)" : "errno \(errno)"
    }
}
