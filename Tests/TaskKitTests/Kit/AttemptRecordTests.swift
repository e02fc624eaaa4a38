// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import LinuxSandbox
import Testing

@testable import TaskKit

struct AttemptRecordTests {
    private let start = ContinuousClock.now
    private let at = Instant(seconds: 1000)
    private let key = AttemptKey(5)
    private let layers = LayerReport(held: ["seccomp"], missing: [])
    private let usage = ResourceUsage(
        wall: .seconds(1), userCPU: .zero, systemCPU: .zero, peakMemoryBytes: 256 << 20,
        peakProcesses: 1, processLimitHits: 0)

    private let plan: Plan = {
        var plan = Plan()
        plan.classIndex = TaskClass.user.rawValue
        plan.attemptLimits.memoryBytes = 256 << 20
        plan.attemptLimits.processes = 128
        plan.attemptLimits.wallSeconds = 300
        plan.attemptLimits.fileSizeBytes = 16 << 30
        plan.attemptLimits.openFiles = 1024
        plan.classLimits.memoryBytes = 512 << 20
        plan.mounts = [
            PlanMount(kind: .temporary, source: "", target: "/tmp", sizeBytes: 64 << 20)
        ]
        return plan
    }()

    private func record(timeout: Duration = .seconds(10)) -> Subject {
        let record = AttemptRecord(
            order: AttemptOrder(
                attempt: key, executionID: "e", taskID: "user.t", taskType: "user.sample",
                attemptNumber: 1, occurrence: at, timeout: timeout, grace: .seconds(2),
                config: []), limits: LimitWords(plan), now: start)
        return Subject(record, usage: usage, at: at)
    }

    private func running() -> Subject {
        let record = record()
        _ = record.confined(layers)
        return record
    }

    @Test func reportsAreNumberedWithoutGaps() {
        let record = record()
        var reports = record.confined(layers)
        reports += record.received(.log(stream: .info, line: "a"), now: start)
        reports += record.received(.progress(fraction: 1, message: ""), now: start)
        reports += record.received(.succeeded(result: [0x31]), now: start)
        reports += record.ended(.exited(code: 0))
        let ending = AttemptExit(
            reply: .succeeded(result: [0x31]), exit: .exited(code: 0), cause: nil, usage: usage)
        #expect(
            reports == [
                .report(.started(attempt: key, sequence: 0, layers: layers, at: at)),
                .report(.log(attempt: key, sequence: 1, stream: .info, at: at, line: "a")),
                .report(.progress(attempt: key, sequence: 2, fraction: 1, message: "")),
                .report(.finished(attempt: key, sequence: 3, exit: ending)),
            ])
    }

    @Test func timeoutCancelsThenKills() {
        let record = running()
        #expect(record.wakeTime == start + .seconds(10))
        #expect(record.tick(now: start + .seconds(9)).isEmpty)
        #expect(
            record.tick(now: start + .seconds(10)) == [.cancel(.timeout, grace: .seconds(2))])
        #expect(record.wakeTime == start + .seconds(12))
        #expect(record.tick(now: start + .seconds(12)) == [.kill])
        #expect(record.wakeTime == nil)
        #expect(record.tick(now: start + .seconds(99)).isEmpty)
        #expect(record.ending(.signaled(signal: 9))?.cause == .timedOut)
    }

    /// What ended it, its number, its peak and the key that changes it.
    @Test func memoryThatRanOutIsNamed() {
        let ending = running().ending(.signaled(signal: 9), outOfMemory: true)
        #expect(ending?.cause == .outOfMemory)
        #expect(
            ending?.message == "used more memory than its limit of 256 MiB, peak 256 MiB: "
                + "'memory_mb' under 'limits' of user.yaml changes it")
    }

    /// What others used is theirs to give back: it is tried again.
    @Test func memoryThatTheClassRanOutOfIsNoLimitOfTheAttempts() {
        let record = Subject(running().record, usage: used(memory: 40 << 20), at: at)
        let ending = record.ending(.signaled(signal: 9), outOfMemory: true)
        #expect(
            ending?.message == "its class ran out of memory, 512 MiB for all its attempts, while "
                + "this one used 40 MiB of its own 256 MiB: 'memory_mb' under 'class_limits' of "
                + "user.yaml changes it")
        #expect(ending.map(OutcomeRules.outcome) == Outcome(.failedTransient, .noResources))
        // Where nobody counted, it may have been its own.
        let unknown = Subject(running().record, usage: used(memory: nil), at: at)
        #expect(unknown.ending(.signaled(signal: 9), outOfMemory: true)?.cause == .outOfMemory)
    }

    private func used(memory: UInt64?) -> ResourceUsage {
        var usage = usage
        usage.peakMemoryBytes = memory
        return usage
    }

    @Test(arguments: [
        (
            "OSError: [Errno 24] Too many open files: 'x'",
            "its limit of 1024 open files was met: 'open_files' under 'limits' of user.yaml"
        ),
        (
            "cp: error writing '/tmp/x': No space left on device",
            "if it was '/tmp' that had no space left, which holds 64 MiB: 'tmp_mb' of user.yaml"
        ),
    ]) func limitThatOnlyItsProgramKnowsOfIsNamed(last: String, words: String) {
        let record = running()
        _ = record.received(
            .programFailed(permanent: false, signal: 0, message: "exited with code 1"), now: start)
        _ = record.wrote(last, on: .standardError)
        #expect(
            record.ending(.exited(code: 1))?.message
                == "\(words) changes it: exited with code 1: \(last)")
        let fine = running()
        _ = fine.wrote(last, on: .standardError)
        #expect(fine.ending(.exited(code: 0))?.message == nil)
    }

    @Test func theMachinesLimitOfOpenFilesIsNotTheTasks() {
        let record = running()
        _ = record.received(
            .failed(permanent: false, message: "Too many open files in system"), now: start)
        #expect(record.ending(.exited(code: 1))?.message == "Too many open files in system")
    }

    // MARK: a grant that is not there

    private let lacking = LayerReport(
        held: ["mounts"],
        missing: [LayerFailure(layer: "mounts", errno: 2, detail: "show '/srv/data'")])

    @Test func failureIsToldWithThePathThatWasMissing() {
        let record = record()
        _ = record.confined(lacking)
        _ = record.received(
            .programFailed(permanent: true, signal: 0, message: "exited with code 3"), now: start)
        _ = record.wrote("no such thing", on: .standardError)
        let ending = record.ending(.exited(code: 3))
        #expect(
            ending?.message == "what its class is granted was not all there: cannot show "
                + "'/srv/data' (errno 2): exited with code 3: no such thing")
        #expect(ending?.cause == lacking.missing.first.map(EndCause.layerRefused))
        // The path may come back.
        #expect(ending.map(OutcomeRules.outcome) == Outcome(.failedTransient, .noResources))
    }

    @Test func attemptThatNeedsNoMissingPathSucceeds() {
        let record = record()
        _ = record.confined(lacking)
        _ = record.received(.succeeded(result: [0x31]), now: start)
        let ending = record.ending(.exited(code: 0))
        #expect(ending?.cause == nil && ending?.reply == .succeeded(result: [0x31]))
    }

    @Test func missingPathIsNoReasonWhereThereIsAnother() {
        let record = record()
        _ = record.confined(lacking)
        _ = record.cancelled(.requested, grace: .zero, now: start)
        #expect(record.ending(.signaled(signal: 9))?.cause == .cancelled(.requested))
    }

    @Test(arguments: [
        (10, "'--timeout' of the task changes it"),
        (300, "'wall_seconds' under 'limits' of user.yaml changes it"),
    ]) func timeThatIsOverIsNamed(seconds: Int, key: String) {
        let record = record(timeout: .seconds(seconds))
        _ = record.confined(layers)
        _ = record.tick(now: start + .seconds(seconds))
        let ending = record.ending(.signaled(signal: 9))
        #expect(ending?.cause == .timedOut)
        #expect(ending?.message == "took longer than its time limit of \(seconds) s: \(key)")
    }

    /// SIGXFSZ of the program itself, and of one that a shell ran.
    @Test(arguments: [ProcessExit.signaled(signal: 25), .exited(code: 128 + 25)])
    func aFileThatGrewTooLargeIsNamedAndPermanent(exit: ProcessExit) {
        let ending = running().ending(exit)
        #expect(
            ending?.message?.hasPrefix(
                "a file reached the size limit of 16384 MiB: "
                    + "'file_size_mb' under 'limits' of user.yaml changes it: ") == true)
        #expect(ending.map(OutcomeRules.outcome)?.kind == .failedPermanent)
    }

    /// SIGSYS: the filter kills for nothing else without a word.
    @Test(arguments: [ProcessExit.signaled(signal: 31), .exited(code: 128 + 31)])
    func aForeignArchitectureIsNamedAndPermanent(exit: ProcessExit) {
        let ending = running().ending(exit)
        #expect(ending?.message?.hasPrefix("a program for a foreign architecture") == true)
        #expect(ending.map(OutcomeRules.outcome)?.kind == .failedPermanent)
        let other = running().ending(.signaled(signal: 15))
        #expect(other.map(OutcomeRules.outcome)?.kind == .killed, "the control")
    }

    @Test func refusedCodeMemoryNamesTheLineOfTheProfile() {
        let record = running()
        _ = record.received(.failed(permanent: false, message: "exited with code 1"), now: start)
        #expect(
            record.ending(.exited(code: 1), codeMemoryRefusals: 2)?.message
                == "memory to be written and run was refused 2 times: "
                + "'writable_executable_memory: true' in user.yaml permits it: exited with code 1")
        let fine = running()
        _ = fine.received(.succeeded(result: [0x31]), now: start)
        #expect(fine.ending(.exited(code: 0), codeMemoryRefusals: 2)?.message == nil)
    }

    @Test func aProcessLimitThatWasMetIsNamedOfWhatFailed() {
        let hits = ResourceUsage(
            wall: .seconds(1), userCPU: .zero, systemCPU: .zero, peakMemoryBytes: 1,
            peakProcesses: 128, processLimitHits: 3)
        let failed = Subject(running().record, usage: hits, at: at)
        _ = failed.received(.failed(permanent: false, message: "exited with code 2"), now: start)
        #expect(
            failed.ending(.exited(code: 2))?.message
                == "its limit of 128 processes and threads was met 3 times, peak 128: "
                + "'processes' under 'limits' of user.yaml changes it: exited with code 2")
        let succeeded = Subject(running().record, usage: hits, at: at)
        _ = succeeded.received(.succeeded(result: [0x31]), now: start)
        #expect(succeeded.ending(.exited(code: 0))?.reply == .succeeded(result: [0x31]))
    }

    @Test func cancelIsAskedOnceAndShortensItsGrace() {
        let record = running()
        #expect(
            record.cancelled(.requested, grace: .seconds(5), now: start)
                == [.cancel(.requested, grace: .seconds(5))])
        #expect(record.cancelled(.shutdown, grace: .seconds(1), now: start).isEmpty)
        #expect(record.wakeTime == start + .seconds(1))
        let ending = record.ending(.exited(code: 1))
        #expect(ending?.cause == .cancelled(.requested) && ending?.reply == TaskReply.none)
    }

    @Test(arguments: [Duration.seconds(301), .nanoseconds(Int64.max)])
    func cancelGivesNoLongerGraceThanAnOrderMay(grace: Duration) {
        let record = running()
        #expect(
            record.cancelled(.requested, grace: grace, now: start)
                == [.cancel(.requested, grace: RunLimits.longestGrace)])
        #expect(record.wakeTime == start + RunLimits.longestGrace)
    }

    @Test func cancelOfTheSchedulersTimeLimitIsATimeout() {
        let record = running()
        _ = record.cancelled(.timeout, grace: .zero, now: start)
        #expect(record.ending(.exited(code: 0))?.cause == .timedOut)
    }

    @Test func cancelBeforeTheTaskRunsReachesIt() {
        let record = record()
        #expect(
            record.cancelled(.requested, grace: .zero, now: start)
                == [.cancel(.requested, grace: .zero)])
        #expect(record.tick(now: start) == [.kill])
    }

    @Test func taskThatSaidItsLastWordMustLeave() {
        let record = running()
        _ = record.received(.succeeded(result: [0x31]), now: start)
        #expect(record.cancelled(.requested, grace: .zero, now: start).isEmpty)
        #expect(record.wakeTime == start + .seconds(5))
        #expect(record.tick(now: start + .seconds(5)) == [.kill])
        let ending = record.ending(.signaled(signal: 9))
        #expect(ending?.reply == .succeeded(result: [0x31]) && ending?.cause == nil)
    }

    @Test func frameAfterTheLastIsAViolation() {
        let record = running()
        _ = record.received(.failed(permanent: true, message: "m"), now: start)
        #expect(!record.record.isViolated)
        #expect(record.received(.log(stream: .info, line: ""), now: start) == [.kill])
        #expect(record.record.isViolated)
        #expect(record.violated("again").isEmpty)
        let ending = record.ending(.signaled(signal: 9))
        #expect(ending?.cause == .protocolViolation(message: "a frame follows the last one"))
        #expect(ending?.reply == .failed(permanent: true, message: "m"))
    }

    @Test func aResultIsCarriedUnreadAndItsTaskIsLeftToEnd() {
        let record = running()
        #expect(record.received(.succeeded(result: [0xFF]), now: start).isEmpty)
        #expect(!record.record.isViolated)
        let ending = record.ending(.exited(code: 0))
        #expect(ending?.reply == .succeeded(result: [0xFF]) && ending?.cause == nil)
    }

    @Test func refusedConfigIsARefusedOrder() {
        let record = running()
        #expect(record.received(.refused(message: "bad"), now: start).isEmpty)
        #expect(record.received(.succeeded(result: []), now: start) == [.kill])
        #expect(record.ending(.exited(code: 78))?.cause == .orderRefused(message: "bad"))
    }

    @Test func firstCauseWins() {
        let record = running()
        record.denied(name: "ptrace", number: 101, arguments: [0, 1, 2, 3, 4, 5])
        _ = record.cancelled(.requested, grace: .zero, now: start)
        #expect(
            record.ending(.signaled(signal: 9), outOfMemory: true)?.cause
                == .deniedSyscall(name: "ptrace", number: 101, arguments: [0, 1, 2, 3, 4, 5]))
    }

    @Test func refusedLayerIsTheCause() {
        let record = record()
        let failure = LayerFailure(layer: "landlock", errno: 1, detail: "/x")
        record.refused(failure)
        #expect(record.ending(.exited(code: 1))?.cause == .layerRefused(failure))
    }

    @Test func memoryLimitIsTheCauseUnlessTheTaskSucceeded() {
        let failed = running()
        #expect(failed.ending(.signaled(signal: 9), outOfMemory: true)?.cause == .outOfMemory)
        let late = running()
        _ = late.tick(now: start + .seconds(10))
        #expect(late.ending(.signaled(signal: 9), outOfMemory: true)?.cause == .outOfMemory)
        let fine = running()
        _ = fine.received(.succeeded(result: [0x31]), now: start)
        #expect(fine.ending(.exited(code: 0), outOfMemory: true)?.cause == nil)
    }

    @Test func headAndTailOfAFloodAreToldWithTheCountBetween() {
        let record = running()
        var head: [AttemptRecord.Action] = []
        for number in 0..<7_000 {
            head += record.wrote("\(number)", on: .standardOutput)
        }
        #expect(head.count == 5_001)
        guard case .report(.log(key, 5001, .warning, at, let note)) = head.last else {
            Issue.record("no note came: \(String(describing: head.last))")
            return
        }
        #expect(note.hasPrefix("more than 5000 lines"))
        let tail = record.ended(.exited(code: 0))
        #expect(tail.count == 1_002)
        #expect(
            tail.first
                == .report(
                    .log(
                        attempt: key, sequence: 5002, stream: .warning, at: at,
                        line: "1000 lines left out")))
        #expect(
            tail[1]
                == .report(
                    .log(
                        attempt: key, sequence: 5003, stream: .standardOutput, at: at,
                        line: "6000")))
    }

    @Test(arguments: [
        ProcessExit.signaled(signal: 9), .signaled(signal: 7), .exited(code: 127),
        .exited(code: 0),
    ])
    func deathBeforeTheLastLayerIsToldAsThat(exit: ProcessExit) {
        let cause = record().ending(exit)?.cause
        #expect(
            cause == .diedInSetUp(message: "its process ended during set-up: \(exit.words)"))
    }

    @Test func deathInSetUpOfAKnownCauseIsToldAsThat() {
        #expect(record().ending(.signaled(signal: 9), outOfMemory: true)?.cause == .outOfMemory)
        let cancelled = record()
        _ = cancelled.cancelled(.requested, grace: .zero, now: start)
        #expect(cancelled.ending(.signaled(signal: 9))?.cause == .cancelled(.requested))
    }

    @Test func signalOfATasksProgramIsTheAttempts() {
        let record = running()
        _ = record.wrote("segfault at 0", on: .standardError)
        _ = record.received(
            .programFailed(permanent: false, signal: 11, message: "ended by signal 11"), now: start)
        let ending = record.ending(.exited(code: 139))
        #expect(ending?.exit == .signaled(signal: 11))
        #expect(
            ending?.reply
                == .failed(permanent: false, message: "ended by signal 11: segfault at 0"))
    }

    @Test func lastWordsOnStandardErrorAreQuotedWhereTheySayMore() {
        let program = running()
        _ = program.received(
            .programFailed(permanent: true, signal: 0, message: "exited with code 3"), now: start)
        // After the last frame: from the pipe, which is read to its end.
        _ = program.wrote("no space left", on: .standardError)
        _ = program.wrote("", on: .standardError)
        _ = program.wrote("done", on: .standardOutput)
        let exited = program.ending(.exited(code: 3))
        #expect(exited?.exit == .exited(code: 3))
        #expect(
            exited?.reply
                == .failed(permanent: true, message: "exited with code 3: no space left"))
        let trap = running()
        _ = trap.wrote("Fatal error: no such thing", on: .standardError)
        #expect(
            trap.ending(.signaled(signal: 4))?.reply
                == .failed(
                    permanent: false, message: "ended by signal 4: Fatal error: no such thing"))
        let fine = running()
        _ = fine.wrote("a warning", on: .standardError)
        #expect(fine.ending(.exited(code: 0))?.reply == TaskReply.none)
    }

    @Test func quoteIsBounded() {
        let record = running()
        _ = record.wrote(String(repeating: "é", count: 5000), on: .standardError)
        guard case .failed(_, let message) = record.ending(.signaled(signal: 6))?.reply else {
            Issue.record("no words came")
            return
        }
        #expect(message.utf8.count < 500 && message.hasSuffix("é ... [cut: 10000 bytes]"))
    }
}

/// A record under test: a class, because `#expect` takes no mutating calls.
private final class Subject {
    var record: AttemptRecord
    private let usage: ResourceUsage
    private let at: Instant

    init(_ record: AttemptRecord, usage: ResourceUsage, at: Instant) {
        self.record = record
        self.usage = usage
        self.at = at
    }

    var wakeTime: ContinuousClock.Instant? { record.wakeTime }

    func confined(_ layers: LayerReport) -> [AttemptRecord.Action] {
        record.confined(layers, at: at)
    }

    func received(
        _ frame: TaskFrame, now: ContinuousClock.Instant
    ) -> [AttemptRecord.Action] { record.received(frame, at: at, now: now) }

    func wrote(_ line: String, on stream: LogStream) -> [AttemptRecord.Action] {
        record.wrote(line, on: stream, at: at)
    }

    func violated(_ message: String) -> [AttemptRecord.Action] { record.violated(message) }

    func cancelled(
        _ reason: CancelReason, grace: Duration, now: ContinuousClock.Instant
    ) -> [AttemptRecord.Action] { record.cancelled(reason, grace: grace, now: now) }

    func refused(_ failure: LayerFailure) { record.refused(failure) }

    func denied(name: String, number: Int32, arguments: [UInt64]) {
        record.denied(name: name, number: number, arguments: arguments)
    }

    func tick(now: ContinuousClock.Instant) -> [AttemptRecord.Action] { record.tick(now: now) }

    func ended(
        _ exit: ProcessExit, outOfMemory: Bool = false, codeMemoryRefusals: UInt64 = 0
    ) -> [AttemptRecord.Action] {
        record.ended(
            exit, usage: usage, outOfMemory: outOfMemory, codeMemoryRefusals: codeMemoryRefusals,
            at: at)
    }

    func ending(
        _ exit: ProcessExit, outOfMemory: Bool = false, codeMemoryRefusals: UInt64 = 0
    ) -> AttemptExit? {
        guard
            case .report(.finished(_, _, let ending)) = ended(
                exit, outOfMemory: outOfMemory, codeMemoryRefusals: codeMemoryRefusals
            ).last
        else { return nil }
        return ending
    }
}
