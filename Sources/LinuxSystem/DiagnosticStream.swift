// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
internal import Synchronization
internal import SystemPackage

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
        guard let status = try? FileDescriptor(rawValue: number).status() else {
            way = .file
            return
        }
        switch status.kind {
        case .regular, .directory, .link: way = .file
        case .socket: way = .socket
        case .pipe, .device:
            let flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
            do throws(Errno) {
                way = .own(
                    try Descriptor(.open) { open("/proc/self/fd/\(number)", flags) }.release())
            } catch {
                way = .shared
            }
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
            let count = attempt(rest.prefix(Self.part))
            guard count > 0 else { return rest.count }
            rest = rest.dropFirst(count)
        }
        return 0
    }

    private var hasRoom: Bool {
        var room = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        return (try? once(.poll) { Int(poll(&room, 1, 0)) }) == 1
    }

    private func attempt(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { bytes in
            let written: Int? =
                switch way {
                case .file: try? FileDescriptor(rawValue: number).put(bytes)
                case .own(let own): try? FileDescriptor(rawValue: own).put(bytes)
                case .socket:
                    try? system(.send) {
                        send(
                            number, bytes.baseAddress, bytes.count,
                            Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                    }
                case .shared:
                    hasRoom ? try? FileDescriptor(rawValue: number).put(bytes) : nil
                }
            return written ?? 0
        }
    }
}
