// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Logging
import Synchronization

/// The scheduler's log file: at its size it becomes `NAME.1`, that `NAME.2`, and so on.
///
/// What cannot be written is dropped: standard error has every line as well. A file that somebody
/// else moved away or removed is made anew.
final class LogFile: Sendable {
    private struct State: ~Copyable {
        var descriptor: Int32 = -1
        var bytes = 0

        deinit { if descriptor >= 0 { close(descriptor) } }
    }

    private let path: String
    private let maximumBytes: Int
    private let kept: Int
    private let state = Mutex(State())

    /// Makes a log file; it is opened with the first line.
    ///
    /// - Parameters:
    ///   - path: the newest file.
    ///   - maximumBytes: the size that no file exceeds, but by its one line.
    ///   - kept: how many older files there are at most.
    init(path: String, maximumBytes: Int, kept: Int) {
        self.path = path
        self.maximumBytes = maximumBytes
        self.kept = kept
    }

    /// Appends a line.
    func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        state.withLock { state in
            if state.descriptor >= 0, !isInPlace(state.descriptor) {
                close(state.descriptor)
                state.descriptor = -1
            }
            if state.descriptor < 0 { open(&state) }
            if state.descriptor >= 0, state.bytes > 0, state.bytes + bytes.count > maximumBytes {
                close(state.descriptor)
                state.descriptor = -1
                rotate()
            }
            if state.descriptor < 0 { open(&state) }
            guard state.descriptor >= 0 else { return }
            let count = Glibc.write(state.descriptor, bytes, bytes.count)
            state.bytes += max(0, count)
        }
    }

    /// Whether the open file is still the one of the path; else its lines would go where nobody
    /// looks, or keep a removed file's space.
    private func isInPlace(_ descriptor: Int32) -> Bool {
        var opened = stat()
        var standing = stat()
        guard fstat(descriptor, &opened) == 0, lstat(path, &standing) == 0 else { return false }
        return opened.st_dev == standing.st_dev && opened.st_ino == standing.st_ino
    }

    private func open(_ state: inout State) {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC
        state.descriptor = Glibc.open(path, flags, 0o640)
        var status = stat()
        guard state.descriptor >= 0, fstat(state.descriptor, &status) == 0 else { return }
        state.bytes = Int(status.st_size)
    }

    private func rotate() {
        guard kept > 0 else {
            unlink(path)
            return
        }
        for number in stride(from: kept, to: 1, by: -1) {
            rename("\(path).\(number - 1)", "\(path).\(number)")
        }
        rename(path, "\(path).1")
    }
}

/// Writes log lines to a `LogFile`: time, level, message, then what is known as `key=value`.
struct FileLogHandler: LogHandler {
    let file: LogFile
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let known = metadata.merging(event.metadata ?? [:]) { $1 }
        let words = known.sorted { $0.key < $1.key }.map { " \($0)=\(Self.quoted("\($1)"))" }
        file.write("\(WallClock.now) \(event.level) \(event.message)\(words.joined())")
    }

    /// Quotes a value that would not be read as one word; a line stays one line.
    private static func quoted(_ text: String) -> String {
        let isWord = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x7F }
        if isWord, !text.isEmpty { return text }
        return "\"" + text.replacing("\"", with: "'").replacing("\n", with: " ") + "\""
    }
}
