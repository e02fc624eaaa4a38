// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem
import Logging
import Synchronization

/// The scheduler's log file: at its size it becomes `NAME.1`, that `NAME.2`, and so on.
///
/// What cannot be written is dropped: standard error has every line as well. A file that somebody
/// else moved away or removed is made anew.
final class LogFile: Sendable {
    private struct State: ~Copyable {
        var file: Descriptor?
        var bytes = 0
    }

    private let path: String
    private let directory: String
    private let name: String
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
        let slash = path.lastIndex(of: "/")
        directory = slash.map { String(path[..<$0]) } ?? "."
        name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        self.maximumBytes = maximumBytes
        self.kept = kept
    }

    /// Appends a line.
    func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        state.withLock { state in
            if !isInPlace(state.file) { state.file = nil }
            if state.file == nil { open(&state) }
            if state.file != nil, state.bytes > 0, state.bytes + bytes.count > maximumBytes {
                state.file = nil
                try? rotate()
            }
            if state.file == nil { open(&state) }
            guard (try? state.file?.write(bytes)) != nil else { return }
            state.bytes += bytes.count
        }
    }

    /// Whether the open file is still the one of the path; else its lines would go where nobody
    /// looks, or keep a removed file's space.
    private func isInPlace(_ file: borrowing Descriptor?) -> Bool {
        guard let opened = try? file?.status(), let standing = try? FileStatus(of: path) else {
            return false
        }
        return opened.device == standing.device && opened.inode == standing.inode
    }

    private func open(_ state: inout State) {
        do {
            let file = try Directory(directory).open(
                name, flags: Directory.appendingFlags, mode: 0o640)
            state.bytes = Int(try file.status().size)
            state.file = consume file
        } catch {
            state.bytes = 0
        }
    }

    private func rotate() throws(SystemError) {
        let directory = try Directory(directory)
        guard kept > 0 else {
            try directory.remove(name)
            return
        }
        for number in stride(from: kept, to: 1, by: -1) {
            // There are not as many yet.
            try? directory.rename("\(name).\(number - 1)", to: "\(name).\(number)")
        }
        try directory.rename(name, to: "\(name).1")
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
