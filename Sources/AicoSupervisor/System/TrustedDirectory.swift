// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSystem
import SystemPackage

/// Makes and checks directories as root without ever following a link that another user made.
struct TrustedDirectory: ~Copyable {
    private let directory: Directory
    private let privilege: any Privilege

    /// Opens the instance's root and makes it where missing; an empty path is the host's root.
    ///
    /// A root made by mktemp(1) is closed to others: search permission is added, as all users of
    /// the system have their directories below.
    static func root(
        _ path: String, by privilege: any Privilege
    ) throws(SupervisorError) -> TrustedDirectory {
        guard !path.isEmpty else {
            return TrustedDirectory(
                directory: try telling { () throws(SystemError) in try Directory("/") },
                privilege: privilege)
        }
        try telling { () throws(SystemError) in _ = try Directory.make(at: path, mode: 0o755) }
        return TrustedDirectory(
            directory: try telling { () throws(SystemError) in
                let root = try Directory(path)
                let status = try root.checkTrusted(owners: privilege.trustedOwners)
                try root.descriptor.changeMode(status.mode | 0o711, of: path)
                return root
            }, privilege: privilege)
    }

    /// Makes the directories that are needed before the users of the system are known.
    func makeRuntime() throws(SupervisorError) {
        try makeLayout(Layout.runtime, parents: ["run"])
    }

    /// Makes every directory of the layout that is missing and sets owners and modes of ours.
    func makeLayout(
        _ entries: [Layout.Entry], parents: [String]
    ) throws(SupervisorError) {
        try Self.telling { () throws(SystemError) in
            for parent in parents {
                try makeMissing(parent)
                try open(parent).checkOwner(privilege.trustedOwners)
            }
            for entry in entries {
                try makeMissing(entry.path)
                let made = try open(entry.path)
                // The supervisor's own: just made, or from a stopped change of owners.
                try made.checkOwner(privilege.trustedOwners.union([entry.user]))
                try privilege.give(made, to: entry)
            }
        }
    }

    /// Writes what the programs of each class find themselves in.
    func writeClassFiles(_ identities: Identities) throws(SupervisorError) {
        try Self.telling { () throws(SystemError) in
            for name in ClassFiles.names {
                let host = ClassFiles.host(name)
                for taskClass in TaskClass.allCases {
                    try open(InstanceDirectory.files(of: taskClass).path).replace(
                        name,
                        with: ClassFiles.text(
                            name, of: taskClass, identity: identities[taskClass], host: host),
                        mode: 0o644)
                }
            }
        }
    }

    /// Locks the directory of a file for the process's life, and leaves our number in the file.
    ///
    /// The directory: a file can be removed under a lock, and the next one made beside it.
    func lock(_ name: String) throws(SupervisorError) -> Descriptor {
        let parts = name.split(separator: "/").map(String.init)
        let parent = try Self.telling { () throws(SystemError) in
            try open(parts.dropLast().joined(separator: "/"))
        }
        let isOurs: Bool
        do throws(Errno) {
            isOurs = try parent.descriptor.lock()
        } catch {
            throw SupervisorError(
                operation: "lock", subject: parent.path, reason: .errno(error))
        }
        guard isOurs else {
            throw SupervisorError(
                operation: "start in", subject: directory.path,
                reason: .untrusted("another aico-supervisor runs there"))
        }
        return try Self.telling { () throws(SystemError) in
            try parent.replace(
                parts.last ?? "", with: Array("\(getpid())\n".utf8), mode: 0o644)
            return try parent.descriptor.duplicate(of: parent.path)
        }
    }

    /// Gives the instance's id: 32 hex digits, drawn at the first start and kept with its data, so that
    /// no other has it, not even one at the same path in another container.
    func instanceID() throws(SupervisorError) -> String {
        let name = "instance"
        return try Self.telling { () throws(SystemError) in
            let state = try open(InstanceDirectory.state.path)
            if try state.status(of: name) == nil {
                var generator = SystemRandomNumberGenerator()
                let digits = (0..<32).map { _ in
                    String(UInt8.random(in: 0..<16, using: &generator), radix: 16)
                }
                try state.replace(name, with: Array("\(digits.joined())\n".utf8), mode: 0o644)
            }
            let file = try state.file(name)
            let text = String(decoding: try file.bytes(limit: 64), as: UTF8.self)
            guard text.utf8.count == 33, text.last == "\n", text.dropLast().allSatisfy(\.isHexDigit)
            else {
                throw SystemError(
                    "use", file.path,
                    .untrusted(
                        "it holds no 32 hex digits; remove it, and the next start draws them"))
            }
            return String(text.dropLast())
        }
    }

    private func open(_ relative: String) throws(SystemError) -> Directory {
        do throws(SystemError) {
            return try directory.directory(relative)
        } catch {
            // ENOTDIR is what O_DIRECTORY with O_NOFOLLOW says of a link.
            guard error.errno == .notDirectory || error.isLink else { throw error }
            throw SystemError(
                "use", error.path, .untrusted("it is a link or no directory"))
        }
    }

    private func makeMissing(_ relative: String) throws(SystemError) {
        let parts = relative.split(separator: "/").map(String.init)
        if parts.count == 1 {
            try directory.make(relative, mode: 0o755)
        } else {
            try open(parts.dropLast().joined(separator: "/"))
                .make(parts.last ?? "", mode: 0o755)
        }
    }

    private static func telling<Value: ~Copyable>(
        _ body: () throws(SystemError) -> Value
    ) throws(SupervisorError) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw SupervisorError(error)
        }
    }
}

extension Directory {
    /// Checks that one of `owners` has it.
    fileprivate func checkOwner(_ owners: Set<UInt32>) throws(SystemError) {
        let user = try status().user
        guard owners.contains(user) else {
            throw SystemError("use", path, .untrusted("it belongs to uid \(user)"))
        }
    }
}
