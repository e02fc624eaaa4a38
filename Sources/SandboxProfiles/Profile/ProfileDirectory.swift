// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import StrictYAML

/// Reads profile files from one directory and nowhere else.
///
/// Nobody but root may be able to change what root will enforce: symbolic links, files that group
/// or others may write, and files owned by a class are refused.
struct ProfileDirectory: ~Copyable {
    private let path: String
    private let descriptor: CInt
    private let refusedOwners: ClassIdentities?

    init(path: String, refusing identities: ClassIdentities?) throws(ProfileError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ProfileError(
                file: path, line: 0, reason: "cannot open directory: \(errorText(errno))")
        }
        do {
            try Self.check(descriptor, name: path, kind: S_IFDIR, refusing: identities)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        refusedOwners = identities
    }

    deinit { close(descriptor) }

    /// Reads a file by its path relative to the directory, as `include/files.yaml`.
    func read(_ name: String) throws(ProfileError) -> [UInt8] {
        let file = displayName(name)
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let plain = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard plain, parts.count <= 4, !name.utf8.contains(0) else {
            throw ProfileError(
                file: file, line: 0, reason: "lies outside the profile directory")
        }
        var directory = dup(descriptor)
        defer { close(directory) }
        for part in parts.dropLast() {
            let next = try openPart(String(part), in: directory, file: file, flags: O_DIRECTORY)
            close(directory)
            directory = next
            try Self.check(next, name: file, kind: S_IFDIR, refusing: refusedOwners)
        }
        let last = String(parts.last ?? "")
        let handle = try openPart(last, in: directory, file: file, flags: O_NONBLOCK)
        defer { close(handle) }
        try Self.check(handle, name: file, kind: S_IFREG, refusing: refusedOwners)
        return try readAll(handle, file: file)
    }

    /// The name used in messages.
    func displayName(_ name: String) -> String { "\(path)/\(name)" }

    private func openPart(
        _ name: String, in directory: CInt, file: String, flags: CInt
    ) throws(ProfileError) -> CInt {
        let handle = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags)
        guard handle >= 0 else {
            let code = errno
            let isLink = code == ELOOP || (code == ENOTDIR && flags == O_DIRECTORY)
            throw ProfileError(
                file: file, line: 0,
                reason: isLink ? "is a symbolic link" : "cannot open: \(errorText(code))")
        }
        return handle
    }

    private static func check(
        _ handle: CInt, name: String, kind: mode_t, refusing identities: ClassIdentities?
    ) throws(ProfileError) {
        var status = stat()
        guard fstat(handle, &status) == 0 else {
            throw ProfileError(file: name, line: 0, reason: "cannot stat: \(errorText(errno))")
        }
        guard status.st_mode & S_IFMT == kind else {
            throw ProfileError(file: name, line: 0, reason: "is not a regular file")
        }
        guard status.st_mode & 0o022 == 0 else {
            let mode = String(status.st_mode & 0o7777, radix: 8)
            throw ProfileError(
                file: name, line: 0,
                reason: "may be written by group or others (mode 0\(mode)); chmod go-w it")
        }
        if let identities, identities.contains(userID: status.st_uid) {
            throw ProfileError(
                file: name, line: 0, reason: "belongs to uid \(status.st_uid), which is a class's")
        }
    }

    private func readAll(_ handle: CInt, file: String) throws(ProfileError) -> [UInt8] {
        // One byte more than the limit shows that there is more, without reading it all.
        var bytes = [UInt8](repeating: 0, count: StrictYAML.maximumBytes + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(handle, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw ProfileError(file: file, line: 0, reason: "cannot read: \(errorText(errno))")
            }
            if got == 0 { break }
            count += got
        }
        guard count <= StrictYAML.maximumBytes else {
            throw ProfileError(
                file: file, line: 0,
                reason: "larger than the limit of \(StrictYAML.maximumBytes) bytes")
        }
        return Array(bytes.prefix(count))
    }
}

/// The C library's text for an errno.
func errorText(_ code: CInt) -> String { String(cString: strerror(code)) }
