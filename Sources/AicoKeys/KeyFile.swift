// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem
import SystemPackage

/// Reads and makes small secret files whose owner and mode are checked.
enum KeyFile {
    /// The mode of every key file: the owner and the security class's group read, nobody writes.
    static let mode: UInt32 = 0o440
    /// No key file is longer than this.
    static let maximumBytes = 4096

    /// Reads a file and checks that only its owner, root and its group can see it.
    ///
    /// Returns nil where there is none. A symbolic link is refused: its target's directory might
    /// be somebody else's.
    static func read(_ path: String) throws(KeyError) -> [UInt8]? {
        let status: FileStatus
        let bytes: [UInt8]
        do throws(SystemError) {
            let file = try File(reading: path)
            status = file.status
            // One byte more than the limit shows that there is more.
            bytes = try file.bytes(at: 0, count: maximumBytes + 1)
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            guard error.errno != nil else {
                throw KeyError.unsafeFile(path: path, reason: "not a regular file")
            }
            throw KeyError(error)
        }
        try check(status, path: path)
        guard bytes.count <= maximumBytes else {
            throw KeyError.malformedFile(path: path, reason: "longer than \(maximumBytes) bytes")
        }
        return bytes
    }

    /// Makes a file with all of its bytes, or not at all; returns false where one already stands.
    static func create(_ path: String, bytes: [UInt8]) throws(KeyError) -> Bool {
        let (parent, name) = parts(of: path)
        // Of its own: another maker's must stay until it is linked.
        let temporary = "\(name).\(UInt64.random(in: 0 ... .max)).new"
        return try KeyError.telling { () throws(SystemError) in
            let directory = try Directory(parent)
            let file = try directory.open(
                temporary, flags: Directory.creatingFlags, mode: mode)
            defer { _ = try? directory.remove(temporary) }
            let place = "\(parent)/\(temporary)"
            // The umask may have taken the group's bit.
            try file.changeMode(mode, of: place)
            // Where the kernel lets us; without it the file is readable by fewer, never by more.
            try? file.changeOwner(user: .max, group: try directory.status().group)
            try file.write(bytes, syncing: place)
            // Unlike a rename it never replaces a key that another process made meanwhile.
            guard try directory.link(temporary, as: name) else { return false }
            try directory.sync()
            return true
        }
    }

    private static func check(_ status: FileStatus, path: String) throws(KeyError) {
        guard !status.isWritableByOthers else {
            throw KeyError.unsafeFile(
                path: path, reason: "others may write it; chmod 0440 after checking its content")
        }
        guard status.mode & 0o004 == 0 else {
            throw KeyError.unsafeFile(
                path: path, reason: "everybody may read it; make a new key, this one may be known")
        }
        let parent = parts(of: path).directory
        let directory: FileStatus
        do throws(Errno) {
            directory = try FileStatus(following: parent)
        } catch {
            throw KeyError.file(operation: "examine", path: parent, errno: error)
        }
        guard !directory.isWritableByOthers else {
            throw KeyError.unsafeFile(path: path, reason: "others may write its directory")
        }
        guard status.user == 0 || status.user == directory.user else {
            throw KeyError.unsafeFile(
                path: path, reason: "its owner is uid \(status.user), not the directory's")
        }
    }

    private static func parts(of path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let name = String(path[path.index(after: slash)...])
        return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
    }
}
