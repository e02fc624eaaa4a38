// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSystem
import Synchronization

/// Standard output and error of a type that a recorder runs: two pipes that a thread reads.
final class RecorderOutput: Sendable {
    private struct State: ~Copyable {
        var output: OutputPipe
        var errors: OutputPipe
        var buffer = [UInt8](repeating: 0, count: 4096)
    }

    private let state: Mutex<State>
    private let reading: [Int32]
    /// The writing ends: standard output, then standard error.
    let writing: (output: Int32, errors: Int32)
    private let take: @Sendable (LogStream, String) -> Void

    /// Begins to read; `take` is called with every line.
    init(take: @escaping @Sendable (LogStream, String) -> Void) throws(SetUpFailure) {
        let standard = try OutputPipe.makePipe()
        let error = try OutputPipe.makePipe()
        let output = OutputPipe(.standardOutput, standard.reading)
        let errors = OutputPipe(.standardError, error.reading)
        reading = [output.descriptor, errors.descriptor]
        state = Mutex(State(output: output, errors: errors))
        writing = (standard.writing.release(), error.writing.release())
        self.take = take
    }

    /// Reads from a thread of its own until nobody writes any more; then lets go of itself.
    func start() {
        var thread = pthread_t()
        let itself = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { itself in
                guard let itself else { return nil }
                Unmanaged<RecorderOutput>.fromOpaque(itself).takeRetainedValue().serve()
                return nil
            }, itself.toOpaque())
        precondition(code == 0, "a test process can start no thread")
        pthread_detach(thread)
    }

    /// Closes the writing ends of this side.
    func close() {
        Glibc.close(writing.output)
        Glibc.close(writing.errors)
    }

    /// Takes what was written so far, with what follows the last line's end.
    func finish() {
        state.withLock { state in
            _ = drain(&state)
            for (rest, stream) in [
                (state.output.finish(), state.output.stream),
                (state.errors.finish(), state.errors.stream),
            ] {
                if let rest { take(stream, rest) }
            }
        }
    }

    private func serve() {
        while true {
            var items = reading.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let count = poll(&items, nfds_t(items.count), -1)
            if count < 0, errno != EINTR { return finish() }
            if !state.withLock({ drain(&$0) }) { return finish() }
        }
    }

    /// False once both are at their end.
    private func drain(_ state: inout State) -> Bool {
        var isOpen = false
        var isReading = true
        while isReading {
            isReading = false
            isOpen = false
            for isError in [false, true] {
                let received =
                    isError ? state.errors.read(&state.buffer) : state.output.read(&state.buffer)
                switch received {
                case .lines(let lines, _):
                    for line in lines {
                        take(isError ? .standardError : .standardOutput, line)
                    }
                    isReading = true
                    isOpen = true
                case .nothing: isOpen = true
                case .closed: break
                }
            }
        }
        return isOpen
    }
}
