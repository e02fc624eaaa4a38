// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// Bounds what one attempt can put into the log: its head passes as it comes, of what follows the
/// tail is kept for the attempt's end.
///
/// Without a bound a loop around `echo` would fill the store. Both together stay below what the
/// scheduler keeps of an attempt.
struct LogBudget: Sendable, Equatable {
    /// Lines that pass as they come.
    static let headLines = 5_000
    /// Bytes of these lines.
    static let headBytes = 2 * 1024 * 1024
    /// Lines kept for the end.
    static let tailLines = 1_000
    /// Bytes of these lines.
    static let tailBytes = 512 * 1024

    /// A line of output.
    struct Line: Sendable, Equatable {
        let stream: LogStream
        let at: Instant
        let text: String
    }

    /// What becomes of a line.
    enum Decision: Equatable {
        /// It is passed on.
        case pass
        /// It is kept for the end; `note` says so in the log, with the first of them.
        case keep(note: String?)
    }

    private var linesLeft = headLines
    private var bytesLeft = headBytes
    private var isHeadOver = false
    /// A ring of `tailLines` places, made when the first is needed.
    private var tail: [Line?] = []
    /// Where the ring begins.
    private var oldest = 0
    private var count = 0
    private var bytes = 0
    private var leftOut = 0

    /// Decides about a line.
    mutating func admit(_ line: Line) -> Decision {
        let size = line.text.utf8.count
        if !isHeadOver, linesLeft > 0, bytesLeft >= size {
            linesLeft -= 1
            bytesLeft -= size
            return .pass
        }
        let isFirst = !isHeadOver
        isHeadOver = true
        keep(line)
        return .keep(note: isFirst ? Self.headNote : nil)
    }

    /// Gives the lines that were kept, oldest first, and what to say of those between.
    mutating func finish() -> (note: String?, tail: [Line]) {
        let kept = (0..<count).compactMap { tail[(oldest + $0) % Self.tailLines] }
        let note =
            leftOut == 0 ? nil : "\(leftOut) line\(leftOut == 1 ? "" : "s") left out"
        (tail, oldest, count, bytes, leftOut) = ([], 0, 0, 0, 0)
        return (note, kept)
    }

    private static var headNote: String {
        "more than \(headLines) lines or \(headBytes >> 20) MiB: of what follows, the last "
            + "\(tailLines) lines or \(tailBytes >> 10) KiB come at the end"
    }

    private mutating func keep(_ line: Line) {
        if tail.isEmpty { tail = Array(repeating: nil, count: Self.tailLines) }
        let size = line.text.utf8.count
        while count == Self.tailLines || (count > 0 && bytes + size > Self.tailBytes) { drop() }
        tail[(oldest + count) % Self.tailLines] = line
        count += 1
        bytes += size
    }

    private mutating func drop() {
        bytes -= tail[oldest]?.text.utf8.count ?? 0
        tail[oldest] = nil
        oldest = (oldest + 1) % Self.tailLines
        count -= 1
        leftOut += 1
    }
}
