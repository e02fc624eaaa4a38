// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// One end of a pipe, closed with the value; never inherited by a command.
struct PipeEnd: ~Copyable {
    /// -1 once it is closed: poll(2) passes over it.
    private(set) var descriptor: Int32

    fileprivate init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    /// Closes it early.
    mutating func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// Makes reads and writes return instead of waiting.
    func setNonblocking() {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
}

/// Both ends of a new pipe.
struct Pipe: ~Copyable {
    var reading: PipeEnd
    var writing: PipeEnd

    init() throws(CommandFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .resources(errno: Glibc.errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = PipeEnd(ends[0])
        writing = PipeEnd(ends[1])
    }
}
