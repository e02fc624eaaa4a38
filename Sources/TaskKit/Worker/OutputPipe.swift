// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem
import SystemPackage

/// The reading end of a pipe that is a task process's standard output or error.
///
/// What was written is there whatever ended the writer, a kill for a denied call too.
struct OutputPipe: ~Copyable {
    private var reading: Descriptor?
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

    /// Makes a pipe whose reading end never waits.
    static func makePipe() throws(SetUpFailure) -> Pipe {
        try SetUpFailure.telling("make a pipe for its output") { () throws(Errno) in
            try Pipe(isReadingPatient: false)
        }
    }

    /// Takes a reading end that never waits.
    init(_ stream: LogStream, _ reading: consuming Descriptor) {
        self.reading = consume reading
        self.stream = stream
    }

    /// -1 once the pipe came to its end.
    var descriptor: Int32 {
        switch reading {
        case .some(let reading): reading.number
        case .none: -1
        }
    }

    /// Reads once, as much as the buffer takes; never waits.
    mutating func read(_ buffer: inout [UInt8]) -> Received {
        var count = 0
        do throws(Errno) {
            count = try reading?.read(into: &buffer) ?? 0
        } catch {
            if error == .wouldBlock { return .nothing }
        }
        guard count > 0 else {
            reading = nil
            return .closed
        }
        return .lines(splitter.feed(buffer[..<count]), bytes: count)
    }

    /// Gives what follows the last line's end; nil where nothing does.
    mutating func finish() -> String? { splitter.finish() }
}
