// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Synchronization

/// A file system whose server takes requests and, from some moment on, answers none: FUSE, as of a
/// disk of the network. Who asks it then cannot be killed, which is the kernel's word for a process
/// that sleeps in state D.
final class HungFileSystem: Sendable {
    /// The few that are looked at, of linux/fuse.h.
    private enum Request {
        static let forget: UInt32 = 2
        static let start: UInt32 = 26
        static let interrupt: UInt32 = 36
        static let forgetMany: UInt32 = 42
    }

    private let path: String
    private let device: Int32
    /// Both ends of a pipe that is closed at the end.
    private let end: (reading: Int32, writing: Int32)
    private let isHung = Atomic(false)

    /// Mounts it on a directory; until it hangs there is nothing in it.
    init(on path: String) throws {
        self.path = path
        device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { throw HostError(step: "open /dev/fuse", errno: errno) }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw HostError(step: "pipe", errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        end = (ends[0], ends[1])
        let options = "fd=\(device),rootmode=40000,user_id=0,group_id=0"
        guard mount("hung", path, "fuse", UInt(MS_NOSUID | MS_NODEV), options) == 0 else {
            throw HostError(step: "mount \(path)", errno: errno)
        }
        var thread = pthread_t()
        let itself = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { itself in
                guard let itself else { return nil }
                Unmanaged<HungFileSystem>.fromOpaque(itself).takeRetainedValue().serve()
                return nil
            }, itself.toOpaque())
        guard code == 0 else { throw HostError(step: "start a thread", errno: code) }
        pthread_detach(thread)
    }

    /// Whether one can be made here.
    static var isPossible: Bool { geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0 }

    /// No request is answered from here on.
    func hang() { isHung.store(true, ordering: .releasing) }

    /// Ends every call that waits, and takes the mount away.
    func leave() {
        umount2(path, Int32(MNT_DETACH))
        close(end.writing)
    }

    private func serve() {
        var buffer = [UInt8](repeating: 0, count: 1 << 17)
        while true {
            var items = [
                pollfd(fd: device, events: Int16(POLLIN), revents: 0),
                pollfd(fd: end.reading, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&items, 2, -1) > 0 || errno == EINTR, items[1].revents == 0 else { break }
            let count = read(device, &buffer, buffer.count)
            guard count >= 40 else { break }
            let request = buffer.withUnsafeBytes {
                (
                    code: $0.load(fromByteOffset: 4, as: UInt32.self),
                    unique: $0.load(fromByteOffset: 8, as: UInt64.self)
                )
            }
            switch request.code {
            case Request.start: answer(request.unique, error: 0, Self.welcome)
            case Request.forget, Request.forgetMany, Request.interrupt: continue
            default:
                guard !isHung.load(ordering: .acquiring) else { continue }
                answer(request.unique, error: -ENOENT, [])
            }
        }
        close(device)
        close(end.reading)
    }

    /// `struct fuse_init_out` of version 7.31.
    private static let welcome: [UInt32] = {
        var words = [UInt32](repeating: 0, count: 16)
        words[0] = 7
        words[1] = 31
        words[5] = 4096  // max_write
        return words
    }()

    private func answer(_ unique: UInt64, error: Int32, _ words: [UInt32]) {
        let head = [UInt32(16 + 4 * words.count), UInt32(bitPattern: error)]
        let bytes =
            head + [UInt32(truncatingIfNeeded: unique), UInt32(unique >> 32)] + words
        _ = bytes.withUnsafeBytes { write(device, $0.baseAddress, $0.count) }
    }
}
