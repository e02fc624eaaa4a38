// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem
import TaskKit

/// One run: finds what is new, and counts it batch by batch.
struct LearningRun {
    /// So many warnings are logged.
    static let maximumWarnings = 20

    let config: BackgroundLearningConfig
    let context: TaskContext
    let machine: Machine
    let limit: BatchLimit
    let zone: ZoneRules
    let store: LearningStore

    private let started: ContinuousClock.Instant
    private let allowed: Duration
    private let others: OthersLoad?
    private var report = LearningReport()
    private var warnings = 0
    /// Wider than a length, which for a file with holes is whatever somebody set.
    private var total: Int128 = 0

    init(
        config: BackgroundLearningConfig, context: TaskContext, machine: Machine,
        limit: BatchLimit, zone: ZoneRules, store: LearningStore
    ) {
        self.config = config
        self.context = context
        self.machine = machine
        self.limit = limit
        self.zone = zone
        self.store = store
        started = machine.now()
        // A run that stops by itself can still say what it did.
        let remaining = context.remaining
        allowed = min(config.maximumDuration, remaining - min(.seconds(10), remaining / 5))
        others = machine.load().map { OthersLoad(atStart: $0, processors: machine.processors) }
    }

    mutating func learn(from directory: borrowing InteractionDirectory) throws -> LearningReport {
        let parts = try newParts(in: directory)
        total = parts.reduce(0) { $0 + Int128($1.bytes) }
        for (index, part) in parts.enumerated() {
            if index > 0, try shouldStop() { break }
            do {
                try learn(from: part, in: directory)
            } catch let error as SystemError {
                warn("\"\(part.name)\" is left for the next run: \(error.reason)")
            }
            if report.stopped != .finished { break }
        }
        report.distinctTerms = try store.prune()
        report.bytesLeft = Int64(clamping: total - Int128(report.bytes))
        context.log(
            "\(report.files) files, \(report.lines) lines, \(report.skipped) skipped, "
                + "\(report.terms) terms; \(report.bytesLeft) bytes are left")
        return report
    }

    /// What is new of one file.
    private struct NewPart {
        var name: String
        var inode: UInt64
        var resume: Resume
        var bytes: Int64
    }

    private mutating func newParts(
        in directory: borrowing InteractionDirectory
    ) throws -> [NewPart] {
        let (names, isAll) = try directory.names()
        if !isAll { warn("only \(names.count) files are looked at; there are more") }
        let checkpoints = try store.checkpoints()
        var seen: Set<UInt64> = []
        var parts: [NewPart] = []
        for name in names {
            try context.checkCancellation()
            do {
                let file = try directory.open(name)
                // A second name of one file is not a second file.
                guard seen.insert(file.inode).inserted else { continue }
                let resume = try Resume(
                    checkpoint: checkpoints[file.inode], size: file.size,
                    head: { try file.head($0) })
                if resume == .shorter || resume == .rewritten {
                    warn("\"\(name)\" is another than it was; it is read from its beginning")
                    // At once: it may soon be as long as it was.
                    try store.forget([file.inode])
                }
                let bytes = file.size - resume.offset
                guard bytes > 0 else { continue }
                parts.append(
                    NewPart(name: name, inode: file.inode, resume: resume, bytes: bytes))
            } catch let error as SystemError {
                report.refused += 1
                warn("\"\(name)\" is not read: \(error.reason)")
            }
        }
        if isAll, report.refused == 0 {
            try store.forget(checkpoints.keys.filter { !seen.contains($0) })
        }
        return parts
    }

    private mutating func learn(
        from part: NewPart, in directory: borrowing InteractionDirectory
    ) throws {
        let file = try directory.open(part.name)
        guard file.inode == part.inode else {
            throw SystemError("use", part.name, .untrusted("another file took its place"))
        }
        guard file.size >= part.resume.offset else {
            throw SystemError("use", part.name, .untrusted("it became shorter meanwhile"))
        }
        // It may have grown since it was found.
        total += Int128(file.size - part.resume.offset - part.bytes)
        var reader = try BatchReader(
            file, from: part.resume, maximumLineBytes: config.maximumLineBytes, limit: limit,
            zone: zone, now: machine.now)
        let (read, skipped) = (report.bytes, report.skipped)
        while let step = try reader.next() {
            if step.bytes > 0 {
                try store.commit(
                    step.batch, step.checkpoint, zone: zone.name, bytes: step.bytes)
                if report.bytes == read { report.files += 1 }
                count(step)
            }
            if !step.isLast, try shouldStop() { break }
        }
        guard report.skipped > skipped else { return }
        warn("\"\(part.name)\": \(report.skipped - skipped) lines are no interactions")
    }

    private mutating func count(_ step: BatchReader.Step) {
        report.lines += step.batch.lines
        report.skipped += step.batch.skipped
        report.terms += step.batch.terms
        report.bytes += step.bytes
        context.progress(Double(report.bytes) / Double(max(total, 1)), step.checkpoint.name)
    }

    /// Whether the rest is for the next run; throws where the attempt is to end.
    private mutating func shouldStop() throws -> Bool {
        try context.checkCancellation()
        let elapsed = machine.now() - started
        if elapsed >= allowed {
            report.stopped = .maximumDuration
            context.log("out of time; the next run goes on here")
            return true
        }
        guard let load = machine.load(),
            let percent = others?.percent(load: load, after: elapsed),
            percent > config.busyPercent
        else { return false }
        report.stopped = .busy
        context.log("others want \(Int(percent)) % of the processors; the next run goes on here")
        return true
    }

    private mutating func warn(_ message: String) {
        warnings += 1
        if warnings <= Self.maximumWarnings { context.log(.warning, message) }
        if warnings == Self.maximumWarnings { context.log(.warning, "further ones are not logged") }
    }
}
