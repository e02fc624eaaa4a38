// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire
import Glibc

/// What a worker writes to its standard error: passed on unchanged, its end kept for the report of
/// its death. Bytes only; nothing reads them here.
final class LastWords {
    private let descriptor: OwnedDescriptor
    private var kept: [UInt8] = []

    /// One read takes so much: a write of it to a pipe that has room does not block; see pipe(7).
    private static let chunk = 4096
    /// After a worker's end this many reads empty the largest pipe that an unprivileged process
    /// can make; a descriptor that lives on elsewhere must not hold us.
    private static let readsAtEnd = 256

    private init(_ descriptor: OwnedDescriptor) { self.descriptor = descriptor }

    /// Makes a pipe: the end that is read here, and the one that becomes a worker's output.
    static func pipe() throws(SupervisorError) -> (words: LastWords, output: OwnedDescriptor) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw .system("make", "pipe for a worker's words") }
        let words = LastWords(OwnedDescriptor(ends[0]))
        let output = OwnedDescriptor(ends[1])
        // One thread: nothing is started between the calls.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        guard fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else {
            throw .system("set", "pipe for a worker's words")
        }
        return (words, output)
    }

    /// The descriptor to watch; -1 when all ends elsewhere are closed.
    private(set) lazy var number: Int32 = descriptor.number

    /// Takes what one read gives and passes it on.
    func take() { _ = read() }

    /// Takes what is left and gives the last bytes of all.
    func finish() -> [UInt8] {
        var reads = 0
        while reads < Self.readsAtEnd, read() { reads += 1 }
        return kept
    }

    /// Whether standard error takes a chunk without blocking.
    static var canPassOn: Bool {
        var item = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        // An output that is closed or broken takes nothing, but blocks nobody either.
        return Glibc.poll(&item, 1, 0) != 0
    }

    /// Reads once; false at the end or where nothing waits.
    private func read() -> Bool {
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        let count = Glibc.read(descriptor.number, &buffer, buffer.count)
        if count < 0 { return lastErrno() == EINTR }
        guard count > 0 else {
            // The end of a pipe stays readable: watching on would spin.
            number = -1
            return false
        }
        if Self.canPassOn { _ = Glibc.write(STDERR_FILENO, buffer, count) }
        kept = (kept + buffer[..<count]).suffix(SupervisorMessage.maximumWords)
        return true
    }
}
