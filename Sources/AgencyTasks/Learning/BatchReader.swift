// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem

/// Counts a file from where an earlier run left it to the length it has, batch by batch.
struct BatchReader: ~Copyable {
    /// A batch, and how far its file is read with it.
    struct Step {
        var batch: Batch
        var checkpoint: Checkpoint
        /// Bytes since the step before; 0 where no line ended in them.
        var bytes: Int64
        /// Whether the file has no more.
        var isLast: Bool
    }

    private let file: InteractionFile
    private let head: [UInt8]
    private let limit: BatchLimit
    private let zone: ZoneRules
    private let now: () -> ContinuousClock.Instant
    private var lines: InteractionLines
    private var position: Int64
    private var isAtEnd = false

    init(
        _ file: consuming InteractionFile, from resume: Resume, maximumLineBytes: Int,
        limit: BatchLimit, zone: ZoneRules, now: @escaping () -> ContinuousClock.Instant
    ) throws(SystemError) {
        head = try file.read(at: 0, count: FileHead.length(of: file.size))
        lines = InteractionLines(
            maximumBytes: maximumLineBytes, offset: resume.offset,
            isSkipping: resume.isSkipping)
        position = resume.offset
        self.limit = limit
        self.zone = zone
        self.now = now
        self.file = file
    }

    /// The next batch, full or out of time or the file's last; nil after that.
    mutating func next() throws(SystemError) -> Step? {
        guard !isAtEnd else { return nil }
        let started = now()
        let before = lines.offset
        var batch = Batch()
        repeat {
            let count = min(Int64(limit.chunkBytes), file.size - position)
            let chunk = try file.read(at: position, count: Int(count))
            position += Int64(chunk.count)
            // Less than asked for: it became shorter meanwhile.
            isAtEnd = chunk.count < count || position >= file.size
            for piece in lines.feed(chunk) { batch.add(piece, in: zone) }
        } while !isAtEnd && batch.lines < limit.lines && now() - started < limit.duration
        let seen = head.prefix(FileHead.length(of: lines.offset))
        return Step(
            batch: batch,
            checkpoint: Checkpoint(
                inode: file.inode, name: file.name, offset: lines.offset,
                isSkipping: lines.isSkipping, head: FileHead(seen)),
            bytes: lines.offset - before, isLast: isAtEnd)
    }
}
