// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSystem
import SystemPackage

/// An owned descriptor of one cgroup directory; every access is relative to it.
public final class CgroupDirectory {
    private let directory: Descriptor
    /// A name for messages; not used to open anything.
    public let label: String
    /// What stands in for the kernel in tests: fills and empties directories.
    let stand: StandInKernel?

    /// Takes ownership of an open directory descriptor.
    public convenience init(owning descriptor: Int32, label: String) {
        self.init(owning: descriptor, label: label, stand: nil)
    }

    init(owning descriptor: Int32, label: String, stand: StandInKernel?) {
        directory = Descriptor(owning: descriptor)
        self.label = label
        self.stand = stand
    }

    /// The number of the open directory, close-on-exec.
    public var descriptor: Int32 { directory.number }

    /// Opens a directory by path, as the supervisor does once at start.
    static func open(
        path: String, stand: StandInKernel? = nil
    ) throws(CgroupError) -> CgroupDirectory {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        return CgroupDirectory(owning: descriptor, label: path, stand: stand)
    }

    /// Opens a directory below this one.
    func child(_ name: String) throws(CgroupError) -> CgroupDirectory {
        let opened = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard opened >= 0 else { throw Self.failure("open", label(of: name)) }
        return CgroupDirectory(owning: opened, label: label(of: name), stand: stand)
    }

    /// Makes a child cgroup, or takes the one that is there, and opens it.
    func makeChild(_ name: String) throws(CgroupError) -> CgroupDirectory {
        if mkdirat(descriptor, name, 0o755) != 0, errno != EEXIST {
            throw Self.failure("make", label(of: name))
        }
        let made = try child(name)
        stand?.populate(made.descriptor)
        return made
    }

    /// Removes a child cgroup; false where it is still busy. A missing one counts as removed.
    func removeChild(_ name: String) throws(CgroupError) -> Bool {
        if let stand, let doomed = try? child(name) { stand.depopulate(doomed.descriptor) }
        if unlinkat(descriptor, name, AT_REMOVEDIR) == 0 { return true }
        switch errno {
        case ENOENT: return true
        case EBUSY, ENOTEMPTY: return false
        default: throw Self.failure("remove", label(of: name))
        }
    }

    /// Writes a control file in one write.
    func write(_ text: String, to name: String) throws(CgroupError) {
        let file = openat(descriptor, name, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure("open", label(of: name)) }
        defer { close(file) }
        let count = text.utf8.count
        let written = text.withCString { Glibc.write(file, $0, count) }
        guard written == count else { throw Self.failure("write '\(text)' to", label(of: name)) }
    }

    /// Writes a control file that this kernel may lack; false where it does.
    @discardableResult
    func writeIfPresent(_ text: String, to name: String) throws(CgroupError) -> Bool {
        do {
            try write(text, to: name)
            return true
        } catch {
            if error.errno == ENOENT { return false }
            throw error
        }
    }

    /// Reads a control file's first 4 KiB.
    func read(_ name: String) throws(CgroupError) -> ControlText {
        let file = openat(descriptor, name, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure("open", label(of: name)) }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(file, &buffer, buffer.count)
        guard count >= 0 else { throw Self.failure("read", label(of: name)) }
        buffer.removeLast(buffer.count - count)
        return ControlText(bytes: buffer)
    }

    /// Reads a control file that was opened before, from its start.
    func read(_ name: String, from file: Int32) throws(CgroupError) -> ControlText {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = pread(file, &buffer, buffer.count, 0)
        guard count >= 0 else { throw Self.failure("read", label(of: name)) }
        buffer.removeLast(buffer.count - count)
        return ControlText(bytes: buffer)
    }

    /// Writes a control file that was opened before.
    func write(_ text: String, to name: String, by file: Int32) throws(CgroupError) {
        let count = text.utf8.count
        let written = text.withCString { Glibc.write(file, $0, count) }
        guard written == count else { throw Self.failure("write '\(text)' to", label(of: name)) }
    }

    /// Reads a control file that this kernel may lack.
    func readIfPresent(_ name: String) throws(CgroupError) -> ControlText? {
        do {
            return try read(name)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    /// Opens a control file to be kept; the caller owns the descriptor.
    func openFile(_ name: String, flags: Int32) throws(CgroupError) -> Int32 {
        let file = openat(descriptor, name, flags | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure("open", label(of: name)) }
        return file
    }

    /// Locks it for as long as it is open; false where another holds it.
    func lock() throws(CgroupError) -> Bool {
        try telling("lock") { () throws(Errno) in try directory.lock() }
    }

    /// Whether both are the same directory, and not two that had the same name.
    func isSame(as other: CgroupDirectory) throws(CgroupError) -> Bool {
        try telling("examine") { () throws(Errno) in
            let (one, another) = (try directory.status(), try other.directory.status())
            return one.inode == another.inode && one.device == another.device
        }
    }

    private func telling(
        _ operation: String, _ body: () throws(Errno) -> Bool
    ) throws(CgroupError) -> Bool {
        do throws(Errno) {
            return try body()
        } catch {
            throw CgroupError(operation: operation, subject: label, errno: error.rawValue)
        }
    }

    /// Gives the directory and the named control files to another owner.
    func delegate(uid: UInt32, gid: UInt32, files: [String]) throws(CgroupError) {
        guard fchown(descriptor, uid, gid) == 0 else { throw Self.failure("delegate", label) }
        for name in files {
            if fchownat(descriptor, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0, errno != ENOENT {
                throw Self.failure("delegate", label(of: name))
            }
        }
    }

    private func label(of name: String) -> String { "\(label)/\(name)" }

    /// Subject and operation are made after errno is read: making them may change it.
    private static func failure(
        _ operation: @autoclosure () -> String, _ subject: @autoclosure () -> String
    ) -> CgroupError {
        let code = errno
        return CgroupError(operation: operation(), subject: subject(), errno: code)
    }
}

/// Does to a plain directory what the kernel does to a cgroup: makes the control files appear.
///
/// Only tests on a temporary directory set one.
struct StandInKernel: Sendable {
    /// Called with each newly made directory.
    var populate: @Sendable (Int32) -> Void
    /// Called before a directory is removed.
    var depopulate: @Sendable (Int32) -> Void
}
