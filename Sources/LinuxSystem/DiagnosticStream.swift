// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
internal import Synchronization

/// Standard error of a process that must never wait for whoever reads it.
///
/// What finds no room, as behind a terminal that was stopped or a pipe that nobody reads, is dropped
/// and counted; the count is told once there is room again.
package final class DiagnosticStream: Sendable {
    /// How it is written to.
    private enum Way: Sendable {
        /// A file, which never makes anybody wait.
        case file
        /// An open file of our own with O_NONBLOCK: setting that on the one we got would set it for
        /// everybody who shares it.
        case own(CInt)
        /// A socket takes the wish with each call.
        case socket
        /// Shared with others, and not ours to open anew: asked for room before each part. Where
        /// another writer fills a pipe in between, it can still make us wait.
        case shared
    }

    /// A pipe that has room takes so much without waiting; see PIPE_BUF in pipe(7).
    private static let part = 4096

    private let name: String
    private let number: CInt
    private let way: Way
    private let dropped = Mutex(0)

    /// Makes one over a descriptor, which stays its owner's.
    ///
    /// - Parameter name: of the program, for the line that tells what was dropped.
    package init(name: String, number: CInt = 2) {
        self.name = name
        self.number = number
        var status = stat()
        guard fstat(number, &status) == 0 else {
            way = .file
            return
        }
        switch FileStatus(status).kind {
        case .regular, .directory, .link: way = .file
        case .socket: way = .socket
        case .pipe, .device:
            let flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
            let opened = open("/proc/self/fd/\(number)", flags)
            way = opened >= 0 ? .own(opened) : .shared
        }
    }

    deinit { if case .own(let own) = way { close(own) } }

    /// Writes bytes as far as there is room; never waits.
    package func write(_ bytes: [UInt8]) {
        dropped.withLock { dropped in
            if dropped > 0 {
                let note = "\(name): \(dropped) bytes were dropped, as nobody read standard error\n"
                guard put(Array(note.utf8)[...]) == 0 else {
                    dropped += bytes.count
                    return
                }
                dropped = 0
            }
            dropped += put(bytes[...])
        }
    }

    /// Writes; gives how many bytes found no room.
    private func put(_ bytes: ArraySlice<UInt8>) -> Int {
        var rest = bytes
        while !rest.isEmpty {
            let count = once(rest.prefix(Self.part))
            guard count > 0 else { return rest.count }
            rest = rest.dropFirst(count)
        }
        return 0
    }

    private func once(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { bytes in
            var count = 0
            repeat {
                switch way {
                case .file: count = Glibc.write(number, bytes.baseAddress, bytes.count)
                case .own(let own): count = Glibc.write(own, bytes.baseAddress, bytes.count)
                case .socket:
                    let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
                    count = send(number, bytes.baseAddress, bytes.count, flags)
                case .shared:
                    var room = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                    guard poll(&room, 1, 0) > 0 else { return 0 }
                    count = Glibc.write(number, bytes.baseAddress, bytes.count)
                }
            } while count < 0 && errno == EINTR
            return max(0, count)
        }
    }
}
