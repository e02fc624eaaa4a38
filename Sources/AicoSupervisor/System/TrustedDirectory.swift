// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Makes and checks directories as root without ever following a link that another user made.
struct TrustedDirectory {
    private let descriptor: OwnedDescriptor
    private let path: String

    /// Opens the instance's root and makes it where missing; an empty path is the host's root.
    ///
    /// A root made by mktemp(1) is closed to others: search permission is added, as all users of
    /// the system have their directories below.
    static func root(_ path: String) throws(SupervisorError) -> TrustedDirectory {
        guard !path.isEmpty else { return try TrustedDirectory(opening: "/") }
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw .system("make", path) }
        let root = try TrustedDirectory(opening: path)
        let status = try root.checkedStatus(owners: [0])
        guard status.st_mode & 0o022 == 0 else {
            throw SupervisorError(
                operation: "use", subject: path,
                reason: .untrusted("others than root may write to it"))
        }
        guard fchmod(root.descriptor.number, status.st_mode & 0o7777 | 0o711) == 0 else {
            throw .system("change the mode of", path)
        }
        return root
    }

    /// Makes the directories that are needed before the users of the system are known.
    func makeRuntime() throws(SupervisorError) {
        try makeLayout(Layout.runtime, ways: ["run"])
    }

    /// Makes every directory of the layout that is missing and sets owners and modes of ours.
    func makeLayout(_ entries: [Layout.Entry], ways: [String]) throws(SupervisorError) {
        for way in ways {
            try makeMissing(way)
            _ = try directory(way).checkedStatus(owners: [0])
        }
        for entry in entries {
            try makeMissing(entry.path)
            let made = try directory(entry.path)
            // Root's own: just made, or from a stopped change of owners.
            _ = try made.checkedStatus(owners: [0, entry.user])
            let file = made.descriptor.number
            guard fchown(file, entry.user, entry.group) == 0 else {
                throw .system("change the owner of", made.path)
            }
            guard fchmod(file, entry.mode) == 0 else {
                throw .system("change the mode of", made.path)
            }
        }
    }

    /// Opens the file that shows that an instance runs, and locks it for the process's life.
    func lock(_ name: String) throws(SupervisorError) -> OwnedDescriptor {
        let parts = name.split(separator: "/").map(String.init)
        let parent = try directory(parts.dropLast().joined(separator: "/"))
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC
        let opened = openat(parent.descriptor.number, parts.last ?? "", flags, 0o644)
        guard opened >= 0 else { throw .system("open", "\(path)/\(name)") }
        let file = OwnedDescriptor(opened)
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw .system("lock", "\(path)/\(name)") }
            throw SupervisorError(
                operation: "start in", subject: path,
                reason: .untrusted("another aico-supervisor runs there"))
        }
        let text = "\(getpid())\n"
        guard ftruncate(opened, 0) == 0,
            pwrite(opened, text, text.utf8.count, 0) == text.utf8.count
        else { throw .system("write", "\(path)/\(name)") }
        return file
    }

    /// Opens a directory below, one component after the other; no link is followed.
    func directory(_ relative: String) throws(SupervisorError) -> TrustedDirectory {
        var current = self
        for part in relative.split(separator: "/").map(String.init) {
            let next = openat(current.descriptor.number, part, Self.flags)
            let full = "\(current.path)/\(part)"
            guard next >= 0 else {
                // ENOTDIR is what O_DIRECTORY with O_NOFOLLOW says of a link.
                guard errno == ENOTDIR || errno == ELOOP else { throw .system("open", full) }
                throw SupervisorError(
                    operation: "use", subject: full,
                    reason: .untrusted("it is a link or no directory"))
            }
            current = TrustedDirectory(descriptor: OwnedDescriptor(next), path: full)
        }
        return current
    }

    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    private init(descriptor: OwnedDescriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    private init(opening path: String) throws(SupervisorError) {
        let opened = open(path, Self.flags)
        guard opened >= 0 else { throw .system("open", path) }
        self.init(descriptor: OwnedDescriptor(opened), path: path == "/" ? "" : path)
    }

    private func makeMissing(_ relative: String) throws(SupervisorError) {
        let parts = relative.split(separator: "/").map(String.init)
        let parent = try directory(parts.dropLast().joined(separator: "/"))
        if mkdirat(parent.descriptor.number, parts.last ?? "", 0o755) != 0, errno != EEXIST {
            throw .system("make", "\(path)/\(relative)")
        }
    }

    private func checkedStatus(owners: Set<UInt32>) throws(SupervisorError) -> stat {
        var status = stat()
        guard fstat(descriptor.number, &status) == 0 else { throw .system("examine", path) }
        guard owners.contains(status.st_uid) else {
            throw SupervisorError(
                operation: "use", subject: path,
                reason: .untrusted("it belongs to uid \(status.st_uid)"))
        }
        return status
    }
}
