// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Whole reads and writes of descriptors.
enum StandardStream {
    /// Writes all of a text.
    static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0), to: descriptor) }
    }

    /// Writes all bytes; gives up silently where nobody can read them any more.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            let number = errno
            if count < 0 {
                if number == EINTR { continue }
                guard number == EAGAIN else { return }
                var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&item, 1, -1)
                continue
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads what is there, at most the buffer's size; 0 at the end, nil with errno on an error.
    static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) -> Result<Int, Failure> {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            let number = errno
            if count >= 0 { return .success(count) }
            if number == EINTR { continue }
            return .failure(Wording.unreadableInput(String(cString: strerror(number))))
        }
    }
}

/// The size of the terminal.
enum TerminalSize {
    /// The columns that `COLUMNS` or the terminal on standard output gives; nil for a pipe or file.
    static func columns() -> Int? {
        if let text = getenv("COLUMNS"), let columns = Int(String(cString: text)), columns > 0 {
            return columns
        }
        return size().flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil }
    }

    /// The lines of the terminal on standard output; nil for a pipe or file.
    static func lines() -> Int? { size().flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil } }

    private static func size() -> winsize? {
        var size = winsize()
        return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
    }
}
