// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
package import SystemPackage

/// A file descriptor that is closed with its owner.
package struct Descriptor: ~Copyable, Sendable {
    /// The descriptor; not to be closed by whoever looks at it.
    package let file: FileDescriptor

    /// Takes ownership of an open descriptor.
    package init(owning number: CInt) { file = FileDescriptor(rawValue: number) }

    /// Takes ownership of what a call opens, also one of C's that this module does not make: -1
    /// with errno where it fails.
    package init(_ call: SystemCall, _ open: () -> CInt) throws(Errno) {
        self.init(owning: CInt(try system(call) { Int(open()) }))
    }

    /// Takes ownership of a descriptor that this process was started with, and keeps it from what
    /// this process starts (FD_CLOEXEC).
    package init(inheriting number: CInt) throws(Errno) {
        _ = try system(.fcntl) { Int(fcntl(number, F_SETFD, FD_CLOEXEC)) }
        self.init(owning: number)
    }

    deinit { _ = Glibc.close(file.rawValue) }

    /// The number, for calls that this module does not make.
    package var number: CInt { file.rawValue }

    /// Closes it now.
    package consuming func close() {}

    /// Gives up ownership: whoever gets the number closes it.
    package consuming func release() -> CInt {
        let number = file.rawValue
        discard self
        return number
    }

    /// Another descriptor of the same open file, close-on-exec (F_DUPFD_CLOEXEC).
    package func duplicate() throws(Errno) -> Descriptor {
        let number = file.rawValue
        return try Descriptor(.dup) { fcntl(number, F_DUPFD_CLOEXEC, 0) }
    }

    /// What fstat(2) says of it.
    package func status() throws(Errno) -> FileStatus {
        var status = stat()
        let number = file.rawValue
        _ = try system(.fstat) { Int(fstat(number, &status)) }
        return FileStatus(status)
    }

    /// Reads at most `bytes.count` bytes from where the file stands; 0 at its end.
    package func read(into bytes: inout [UInt8]) throws(Errno) -> Int {
        let number = file.rawValue
        let room = portion(.read, of: bytes.count)
        return try system(.read) { Glibc.read(number, &bytes, room) }
    }

    /// Reads at most `bytes.count` bytes from a place of the file; 0 at its end.
    package func read(into bytes: inout [UInt8], at offset: Int64) throws(Errno) -> Int {
        let number = file.rawValue
        let room = portion(.pread, of: bytes.count)
        return try system(.pread) { pread(number, &bytes, room, Int(offset)) }
    }

    /// Writes all bytes, in as many calls as it takes.
    package func write(_ bytes: some Collection<UInt8>) throws(Errno) {
        let bytes = Array(bytes)
        let number = file.rawValue
        var written = 0
        while written < bytes.count {
            let from = written
            let part = portion(.write, of: bytes.count - from)
            written += try system(.write) {
                bytes.withUnsafeBytes {
                    Glibc.write(number, $0.baseAddress.map { $0 + from }, part)
                }
            }
        }
    }

    /// Changes the mode (permission bits as of chmod(2)).
    package func changeMode(_ mode: UInt32) throws(Errno) {
        let number = file.rawValue
        _ = try system(.fchmod) { Int(fchmod(number, mode)) }
    }

    /// Changes owner and group.
    package func changeOwner(user: UInt32, group: UInt32) throws(Errno) {
        let number = file.rawValue
        _ = try system(.fchown) { Int(fchown(number, user, group)) }
    }

    /// Locks the open file for this process alone, without waiting; false where another has it.
    package func lock() throws(Errno) -> Bool {
        let number = file.rawValue
        do {
            _ = try system(.flock) { Int(flock(number, LOCK_EX | LOCK_NB)) }
            return true
        } catch {
            if error == .wouldBlock { return false }
            throw error
        }
    }
}
