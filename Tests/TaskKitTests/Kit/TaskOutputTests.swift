// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSystem
import Testing

@testable import TaskKit

/// What a task process writes to its standard output and error, seen from its worker's side.
struct TaskOutputTests {
    /// A task process that ended, with all that it left behind.
    private struct Ended {
        var exit = ProcessExit.notStarted
        var output: [String] = []
        var errors: [String] = []
        var frames: [TaskFrame] = []
    }

    private func run(_ type: String) throws -> Ended {
        let pair = try MessageSocket.Pair()
        let taskEnd = pair.theirs
        let socket = AttemptSocket(pair.ours)
        let standard = try OutputPipe.makePipe()
        let error = try OutputPipe.makePipe()
        let written = standard.writing
        let complained = error.writing
        try socket.send(
            run: AttemptOrder(
                attempt: AttemptKey(1), executionID: "e", taskID: type, taskType: type,
                attemptNumber: 1, occurrence: Instant(seconds: 0), timeout: .seconds(60),
                grace: .seconds(1), config: Array("{}".utf8)),
            output: written.number, errors: complained.number)
        let process = try Self.spawn(descriptor: taskEnd.descriptor.number)
        taskEnd.close()
        written.close()
        complained.close()
        var output = OutputPipe(.standardOutput, standard.reading)
        var errors = OutputPipe(.standardError, error.reading)
        var ended = Ended()
        // Dead before anything is read: as after a kill.
        ended.exit = ProcessExit(try #require(try WaitStatus.take(process, isPatient: true)))
        ended.output = Self.lines(&output)
        ended.errors = Self.lines(&errors)
        var buffer = [UInt8](repeating: 0, count: TaskFrameCodec.maximumFrameBytes)
        while case .frame(let frame) = socket.receive(&buffer) { ended.frames.append(frame) }
        return ended
    }

    private static func lines(_ pipe: inout OutputPipe) -> [String] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var lines: [String] = []
        while case .lines(let more, _) = pipe.read(&buffer) { lines += more }
        if let rest = pipe.finish() { lines.append(rest) }
        return lines
    }

    /// The fixture beside this test's executable, with /dev/null for its standard streams.
    private static func spawn(descriptor: Int32) throws -> pid_t {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        let path =
            own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/") + "/task-fixture"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, descriptor, 3)
        for stream in 0...2 {
            posix_spawn_file_actions_addopen(&actions, Int32(stream), "/dev/null", O_RDWR, 0)
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), nil]
        defer { free(arguments[0]) }
        var process: pid_t = 0
        let code = posix_spawn(&process, path, &actions, nil, &arguments, environ)
        try #require(code == 0, "\(path): \(String(cString: strerror(code)))")
        return process
    }

    @Test func wordsOfATrapAndWhatWasPrintedBeforeAreThere() throws {
        let ended = try run("user.trap")
        guard case .signaled = ended.exit else {
            Issue.record("it ended by \(ended.exit.words)")
            return
        }
        #expect(ended.output == ["before the trap"])
        #expect(ended.errors.contains { $0.contains("Fatal error: no such thing") })
        #expect(ended.frames.isEmpty)
    }

    @Test func linesThatWerePrintedArriveWithTheirLastOne() throws {
        let ended = try run("user.print")
        #expect(ended.exit == .exited(code: 0))
        #expect(ended.output == ["one", "two"] && ended.errors.isEmpty)
        #expect(ended.frames == [.succeeded(result: Array("{}".utf8))])
    }
}
