// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoWire
import Glibc
import Synchronization

/// Runs task types in the caller's own process, unconfined: for tests of a type's logic.
public final class TaskRecorder: Sendable {
    /// A line that the task logged.
    public struct Line: Sendable, Equatable {
        /// Where it came from.
        public let stream: LogStream
        /// The text.
        public let text: String

        /// Makes a line to compare with.
        public init(stream: LogStream, text: String) {
            self.stream = stream
            self.text = text
        }
    }

    /// What the task said of its progress.
    public struct Progress: Sendable, Equatable {
        /// How far it is.
        public let fraction: Double?
        /// What it does.
        public let message: String

        /// Makes a report to compare with.
        public init(fraction: Double?, message: String) {
            self.fraction = fraction
            self.message = message
        }
    }

    private struct State {
        var lines: [Line] = []
        var progress: [Progress] = []
        var isCancelled = false
        var output: RecorderOutput?
    }

    private let state = Mutex(State())
    private let pipe: (read: Int32, write: Int32)

    /// Makes a recorder that has heard nothing.
    public init() {
        var ends: [Int32] = [-1, -1]
        precondition(Glibc.pipe(&ends) == 0, "a test process ran out of descriptors")
        pipe = (ends[0], ends[1])
    }

    deinit {
        close(pipe.read)
        if !isCancelled { close(pipe.write) }
        state.withLock { $0.output?.close() }
    }

    /// The lines so far.
    public var lines: [Line] { state.withLock { $0.lines } }
    /// The progress reports so far.
    public var progress: [Progress] { state.withLock { $0.progress } }

    /// Makes the task's `isCancelled` true.
    public func cancel() {
        state.withLock { state in
            if !state.isCancelled { close(pipe.write) }
            state.isCancelled = true
        }
    }

    /// Gives a context whose words this recorder keeps.
    public func context(
        taskID: String = "user.test", attempt: Int = 1,
        occurrence: Instant = Instant(seconds: 0), timeout: Duration = .seconds(60)
    ) -> TaskContext {
        TaskContext(
            taskID: taskID, executionID: "00000000-0000-4000-8000-000000000000",
            attempt: attempt, occurrence: occurrence, deadline: .now + timeout, channel: self)
    }

    /// Decodes and validates `config` as a worker does, runs the type and gives its result.
    public func run<Task: ScheduledTask>(
        _ type: Task.Type, config: JSONValue = [:], timeout: Duration = .seconds(60)
    ) async throws -> JSONValue {
        let config = try Task.Config.read(config)
        defer { state.withLock({ $0.output })?.finish() }
        let output = try await Task().run(config, context(timeout: timeout))
        return try JSONValue(encoding: output)
    }
}

extension TaskRecorder: TaskChannel {
    var cancellationDescriptor: Int32 { pipe.read }

    var outputDescriptor: Int32 { output.writing.output }

    var errorDescriptor: Int32 { output.writing.errors }

    /// Made for the first type that asks for it.
    private var output: RecorderOutput {
        state.withLock { state in
            if let output = state.output { return output }
            let output: RecorderOutput
            do {
                output = try RecorderOutput { [weak self] stream, text in
                    self?.state.withLock { $0.lines.append(Line(stream: stream, text: text)) }
                }
            } catch {
                preconditionFailure("a test process ran out of descriptors")
            }
            output.start()
            state.output = output
            return output
        }
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func send(_ frame: TaskFrame) {
        state.withLock { state in
            switch frame {
            case .log(let stream, let line): state.lines.append(Line(stream: stream, text: line))
            case .progress(let fraction, let message):
                state.progress.append(Progress(fraction: fraction, message: message))
            case .leftBehind, .succeeded, .failed, .programFailed, .refused: break
            }
        }
    }
}
