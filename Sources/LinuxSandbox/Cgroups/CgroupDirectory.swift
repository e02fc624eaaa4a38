// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSystem
import SystemPackage

/// An owned descriptor of one cgroup directory; every access is relative to it.
package final class CgroupDirectory {
    private let directory: Directory
    /// What stands in for the kernel in tests: fills and empties directories.
    let stand: StandInKernel?

    /// Takes ownership of an open directory descriptor.
    package convenience init(owning descriptor: Int32, label: String) {
        self.init(Directory(owning: Descriptor(owning: descriptor), path: label), stand: nil)
    }

    init(_ directory: consuming Directory, stand: StandInKernel?) {
        self.directory = directory
        self.stand = stand
    }

    /// A name for messages; not used to open anything.
    package var label: String { directory.path }

    /// The number of the open directory, close-on-exec.
    package var descriptor: Int32 { directory.descriptor.number }

    /// Opens a directory by path, as the supervisor does once at start.
    static func open(
        path: String, stand: StandInKernel? = nil
    ) throws(CgroupError) -> CgroupDirectory {
        try CgroupError.telling { () throws(SystemError) in
            CgroupDirectory(try Directory(path), stand: stand)
        }
    }

    /// Opens a directory below this one.
    func child(_ name: String) throws(CgroupError) -> CgroupDirectory {
        try CgroupError.telling { () throws(SystemError) in
            CgroupDirectory(try directory.directory(name), stand: stand)
        }
    }

    /// Opens a directory below; nil where it is gone.
    ///
    /// - Parameter label: the same at any depth, where nobody names it.
    func child(
        _ entry: Directory.Entry, label: String = "(below)"
    ) throws(CgroupError) -> CgroupDirectory? {
        try neighbour(label) { () throws(SystemError) in
            try directory.open(entry, flags: Directory.readingFlags)
        }
    }

    /// Opens the directory above; nil where it is gone.
    func parent() throws(CgroupError) -> CgroupDirectory? {
        try neighbour("(below)") { () throws(SystemError) in try directory.parent() }
    }

    private func neighbour(
        _ label: String, _ open: () throws(SystemError) -> Descriptor
    ) throws(CgroupError) -> CgroupDirectory? {
        do throws(SystemError) {
            return CgroupDirectory(Directory(owning: try open(), path: label), stand: stand)
        } catch {
            if Self.isGone(error) { return nil }
            throw CgroupError(error)
        }
    }

    /// The directories directly below; none where it is gone itself.
    ///
    /// Not by their names as texts: a class gives what it makes any name, and what is passed over
    /// keeps this one busy for good.
    func children() throws(CgroupError) -> [Directory.Entry] {
        do throws(SystemError) {
            return try directory.entries(limit: .max).entries.filter { $0.kind == .directory }
        } catch {
            if Self.isGone(error) { return [] }
            throw CgroupError(error)
        }
    }

    /// ENODEV is what an open file of a removed cgroup says.
    private static func isGone(_ error: SystemError) -> Bool {
        error.errno == .noSuchFileOrDirectory || error.errno?.rawValue == ENODEV
    }

    /// Makes a child cgroup, or takes the one that is there, and opens it.
    func makeChild(_ name: String) throws(CgroupError) -> CgroupDirectory {
        try CgroupError.telling { () throws(SystemError) in
            _ = try directory.make(name, mode: 0o755)
        }
        let made = try child(name)
        stand?.populate(made.descriptor)
        return made
    }

    /// Removes a child cgroup; false where it is still busy. A missing one counts as removed.
    func removeChild(_ name: String) throws(CgroupError) -> Bool {
        if let stand, let doomed = try? child(name) { stand.depopulate(doomed.descriptor) }
        return try isRemoved { () throws(SystemError) in
            try directory.remove(name, isDirectory: true)
        }
    }

    /// Removes a child cgroup that was found here, whatever its name; otherwise as by a text.
    func removeChild(_ entry: Directory.Entry) throws(CgroupError) -> Bool {
        if let stand, let doomed = try? child(entry) { stand.depopulate(doomed.descriptor) }
        return try isRemoved { () throws(SystemError) in
            try directory.remove(entry, isDirectory: true)
        }
    }

    private func isRemoved(
        _ remove: () throws(SystemError) -> Bool
    ) throws(CgroupError) -> Bool {
        do throws(SystemError) {
            _ = try remove()
            return true
        } catch {
            if error.errno == .resourceBusy || error.errno == .directoryNotEmpty { return false }
            throw CgroupError(error)
        }
    }

    /// Opens a control file to be kept.
    func open(_ name: String, for access: ControlFile.Access) throws(CgroupError) -> ControlFile {
        try CgroupError.telling { () throws(SystemError) in
            ControlFile(
                try directory.open(name, flags: access.flags), label: "\(label)/\(name)")
        }
    }

    /// Writes a control file in one write.
    func write(_ text: String, to name: String) throws(CgroupError) {
        try open(name, for: .writing).write(text)
    }

    /// Writes a control file that this kernel may lack; false where it does.
    @discardableResult
    func writeIfPresent(_ text: String, to name: String) throws(CgroupError) -> Bool {
        do {
            try write(text, to: name)
            return true
        } catch {
            if error.isMissing { return false }
            throw error
        }
    }

    /// Reads a control file's first 4 KiB.
    func read(_ name: String) throws(CgroupError) -> ControlText {
        try open(name, for: .reading).read()
    }

    /// Reads a control file that this kernel may lack.
    func readIfPresent(_ name: String) throws(CgroupError) -> ControlText? {
        do {
            return try read(name)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// Locks it for as long as it is open; false where another holds it.
    func lock() throws(CgroupError) -> Bool {
        try CgroupError.telling("lock", label) { () throws(Errno) in
            try directory.descriptor.lock()
        }
    }

    /// Whether both are the same directory, and not two that had the same name.
    func isSame(as other: CgroupDirectory) throws(CgroupError) -> Bool {
        try CgroupError.telling { () throws(SystemError) in
            let (one, another) = (try directory.status(), try other.directory.status())
            return one.inode == another.inode && one.device == another.device
        }
    }

    /// Gives the directory and the named control files to another owner.
    func delegate(uid: UInt32, gid: UInt32, files: [String]) throws(CgroupError) {
        try CgroupError.telling { () throws(SystemError) in
            try directory.descriptor.changeOwner(user: uid, group: gid, of: label)
            for name in files {
                try directory.changeOwner(of: name, user: uid, group: gid)
            }
        }
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
