// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import Glibc

/// The reading end of a pipe that is a task process's standard output or error.
///
/// What was written is there whatever ended the writer, a kill for a denied call too.
struct OutputPipe: ~Copyable {
    /// -1 once the pipe came to its end.
    private(set) var descriptor: Int32
    let stream: LogStream
    private var splitter = LineSplitter()

    /// What a read gave.
    enum Received {
        /// Bytes, and the lines that they complete.
        case lines([String], bytes: Int)
        /// Nothing now.
        case nothing
        /// Nobody writes to it any more.
        case closed
    }

    /// Makes a pipe and keeps one end; the caller closes `writing` once it is passed on.
    init(_ stream: LogStream, writing: inout Int32) throws(SetUpFailure) {
        var reading: Int32 = -1
        guard aico_output_pipe(&reading, &writing) == 0 else {
            throw SetUpFailure(errno: errno, detail: "make a pipe for its output")
        }
        descriptor = reading
        self.stream = stream
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Reads once, as much as the buffer takes; never waits.
    mutating func read(_ buffer: inout [UInt8]) -> Received {
        guard descriptor >= 0 else { return .closed }
        var count = 0
        var code: Int32 = 0
        repeat {
            count = Glibc.read(descriptor, &buffer, buffer.count)
            code = errno
        } while count < 0 && code == EINTR
        if count < 0, code == EAGAIN { return .nothing }
        guard count > 0 else {
            close(descriptor)
            descriptor = -1
            return .closed
        }
        return .lines(splitter.take(buffer[..<count]), bytes: count)
    }

    /// Gives what follows the last line's end; nil where nothing does.
    mutating func finish() -> String? { splitter.finish() }
}
