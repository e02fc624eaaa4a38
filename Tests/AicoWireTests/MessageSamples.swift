// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// Draws messages of every case.
extension SeededGenerator {
    mutating func orders() -> [Order] {
        [
            .run(
                AttemptOrder(
                    attempt: AttemptKey(integer()), executionID: text(upTo: 36),
                    taskID: text(upTo: 40), taskType: text(upTo: 40), attemptNumber: integer(),
                    occurrence: Instant(microseconds: integer()), timeout: duration(),
                    grace: duration(), config: bytes(upTo: 3000))),
            .cancel(
                attempt: AttemptKey(integer()), reason: pick(CancelReason.allCases),
                grace: duration()),
            .ping(nonce: integer()),
        ]
    }

    mutating func reports() -> [Report] {
        let key = AttemptKey(integer())
        let fraction = pick([nil, 0, 1, Double.random(in: 0...1, using: &self)])
        return [
            .hello(
                processID: integer(), capacity: integer(), wallLimit: pick([nil, duration()]),
                layers: layers()),
            .pong(nonce: integer()),
            .started(
                attempt: key, sequence: integer(), layers: layers(),
                at: Instant(microseconds: integer())),
            .progress(
                attempt: key, sequence: integer(), fraction: fraction, message: text(upTo: 80)),
            .log(
                attempt: key, sequence: integer(), stream: pick(LogStream.allCases),
                at: Instant(microseconds: integer()), line: text(upTo: 200)),
        ] + endings().map { .finished(attempt: key, sequence: integer(), exit: $0) }
    }

    /// Every verdict with every exit status with every cause.
    mutating func endings() -> [AttemptExit] {
        var endings: [AttemptExit] = []
        for verdict in verdicts() {
            for exit in [
                ProcessExit.notStarted, .exited(code: integer()),
                .signaled(signal: integer()),
            ] {
                for cause in causes() {
                    endings.append(
                        AttemptExit(
                            reply: verdict, exit: exit, cause: cause, usage: usage(),
                            leftBehind: LeftBehind(
                                count: pick([0, 1, 7]), names: pick([[], ["sh"]]))))
                }
            }
        }
        return endings
    }

    private mutating func verdicts() -> [TaskReply] {
        [
            .none, .succeeded(result: bytes(upTo: 500)),
            .failed(permanent: Bool.random(using: &self), message: text(upTo: 100)),
        ]
    }

    private mutating func causes() -> [EndCause?] {
        [
            nil, .layerRefused(failure()), .orderRefused(message: text(upTo: 60)), .timedOut,
            .cancelled(pick(CancelReason.allCases)), .outOfMemory,
            .deniedSyscall(
                name: text(upTo: 20), number: integer(),
                arguments: (0..<6).map { _ in integer() }),
            .protocolViolation(message: text(upTo: 60)), .noPlace(message: text(upTo: 60)),
            .diedInSetUp(message: text(upTo: 60)),
        ]
    }

    private mutating func usage() -> ResourceUsage {
        ResourceUsage(
            wall: duration(), userCPU: duration(), systemCPU: duration(),
            peakMemoryBytes: pick([nil, integer()]), peakProcesses: pick([nil, integer()]),
            processLimitHits: integer())
    }

    private mutating func layers() -> LayerReport {
        LayerReport(
            held: (0..<Int.random(in: 0...12, using: &self)).map { _ in text(upTo: 12) },
            missing: (0..<Int.random(in: 0...3, using: &self)).map { _ in failure() })
    }

    private mutating func failure() -> LayerFailure {
        LayerFailure(layer: text(upTo: 12), errno: integer(), detail: text(upTo: 40))
    }
}
