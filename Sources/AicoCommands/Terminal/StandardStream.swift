// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Whole reads and writes of descriptors.
enum StandardStream {
    /// Why a descriptor could not be read or written.
    struct Fault: Error, Equatable {
        let number: Int32
        var reason: String { String(cString: strerror(number)) }
    }

    /// Writes a text to standard output.
    static func output(_ text: PlainText) throws(Failure) {
        do throws(Fault) {
            try write(text.text, to: STDOUT_FILENO)
        } catch {
            throw ErrorMessages.unwritable(error)
        }
    }

    /// Writes bytes to standard output.
    static func output(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        do throws(Fault) {
            try write(bytes, to: STDOUT_FILENO)
        } catch {
            throw ErrorMessages.unwritable(error)
        }
    }

    /// Writes a text to standard error; gives up silently where that does not go.
    static func talk(_ text: PlainText) { try? write(text.text, to: STDERR_FILENO) }

    /// Writes all of a text.
    static func write(_ text: String, to descriptor: Int32) throws(Fault) {
        var text = text
        let result = text.withUTF8 { bytes in
            Result { () throws(Fault) in try write(UnsafeRawBufferPointer(bytes), to: descriptor) }
        }
        try result.get()
    }

    /// Writes all bytes.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(Fault) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            let number = errno
            if count < 0 {
                if number == EINTR { continue }
                guard number == EAGAIN else { throw Fault(number: number) }
                var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                let ready = poll(&item, 1, -1)
                let refusal = errno
                guard ready >= 0 || refusal == EINTR else { throw Fault(number: refusal) }
                continue
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads what is there, at most the buffer's size; 0 at the end.
    static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Fault) -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            let number = errno
            if count >= 0 { return count }
            guard number == EINTR else { throw Fault(number: number) }
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
