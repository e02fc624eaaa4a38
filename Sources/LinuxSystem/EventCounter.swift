// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import CLinux
package import SystemPackage

/// A number of the kernel's that one thread raises and another waits for (eventfd(2)).
package struct EventCounter: ~Copyable, Sendable {
    /// Readable while it is not 0.
    package let descriptor: Descriptor

    /// Makes one at 0, close-on-exec.
    ///
    /// - Parameters:
    ///   - isPatient: whether `take` waits until it is raised.
    ///   - isSemaphore: whether `take` takes one, not all.
    package init(isPatient: Bool = false, isSemaphore: Bool = false) throws(Errno) {
        let flags =
            Int32(EFD_CLOEXEC) | (isPatient ? 0 : Int32(EFD_NONBLOCK))
            | (isSemaphore ? Int32(EFD_SEMAPHORE) : 0)
        descriptor = try Descriptor(.eventfd) { eventfd(0, flags) }
    }

    /// For a poll set.
    package var number: CInt { descriptor.number }

    /// Adds to it; wakes whoever waits.
    package func raise(by count: UInt64 = 1) throws(Errno) {
        try withUnsafeBytes(of: count) { (bytes) throws(Errno) in
            _ = try descriptor.file.put(bytes)
        }
    }

    /// Takes what it stands at; 0 where it was not raised.
    package func take() throws(Errno) -> UInt64 { try Self.take(from: descriptor.number) }

    /// The same for one that is somebody else's.
    @discardableResult
    package static func take(from number: CInt) throws(Errno) -> UInt64 {
        var count: UInt64 = 0
        do throws(Errno) {
            try withUnsafeMutableBytes(of: &count) { (bytes) throws(Errno) in
                _ = try FileDescriptor(rawValue: number).take(into: bytes)
            }
        } catch {
            guard error == .wouldBlock else { throw error }
        }
        return count
    }
}
