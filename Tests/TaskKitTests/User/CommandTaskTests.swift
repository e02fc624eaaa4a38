// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import LinuxSystem
import TaskKit
import Testing

@testable import UserTasks

/// Real commands on real pipes, outside of every sandbox.
struct CommandTaskTests {
    private let recorder = TaskRecorder()

    private func run(
        _ argv: [String], environment: [String: String] = [:], directory: String = "/",
        input: String? = nil
    ) async throws -> JSONValue {
        var config: [String: JSONValue] = [
            "argv": .array(argv.map(JSONValue.string)),
            "environment": .object(environment.mapValues(JSONValue.string)),
            "working_directory": .string(directory),
        ]
        config["stdin"] = input.map(JSONValue.string)
        return try await recorder.run(CommandTask.self, config: .object(config))
    }

    private func shell(_ script: String, input: String? = nil) async throws -> JSONValue {
        try await run(["sh", "-c", script], input: input)
    }

    private func texts(_ stream: LogStream) -> [String] {
        recorder.lines.filter { $0.stream == stream }.map(\.text)
    }

    @Test func outputBecomesLinesOfItsStream() async throws {
        let result = try await shell("echo one; echo two >&2; printf three")
        #expect(result == ["exit_code": 0])
        #expect(texts(.standardOutput) == ["one", "three"])
        #expect(texts(.standardError) == ["two"])
    }

    @Test func descriptorThreeGivesTheResult() async throws {
        let result = try await shell("echo '{\"a\": 1}' >&3; echo '{\"files\": [1, 2]}' >&3")
        #expect(result == ["files": [1, 2]])
    }

    @Test func whatIsNoJSONOnDescriptorThreeIsWarnedOf() async throws {
        #expect(try await shell("echo nonsense >&3") == ["exit_code": 0])
        #expect(texts(.warning).first?.hasPrefix("descriptor 3 gave no line of JSON") == true)
        #expect(try await shell("head -c 70000 /dev/zero | tr '\\0' 1 >&3") == ["exit_code": 0])
        #expect(texts(.warning).last?.contains("more than 65536 bytes") == true)
    }

    @Test func inputIsWrittenAndClosed() async throws {
        let text = String(repeating: "0123456789", count: 20_000)
        _ = try await shell("wc -c", input: text)
        #expect(texts(.standardOutput) == ["200000"])
        _ = try await shell("exec <&-; exit 0", input: text)
    }

    @Test func withoutInputStandardInputIsEmpty() async throws {
        _ = try await shell("cat; readlink /proc/self/fd/0")
        #expect(texts(.standardOutput) == ["/dev/null"])
    }

    @Test func commandInheritsFourDescriptorsAndNoOther() async throws {
        _ = try await run(["ls", "/proc/self/fd"])
        // The fifth is ls's own, on the directory.
        #expect(texts(.standardOutput) == ["0", "1", "2", "3", "4"])
    }

    @Test func environmentIsMinimalAndSaysWhoseRunItIs() async throws {
        setenv("AICO_SECRET_OF_THE_TEST", "1", 1)
        _ = try await run(["env"], environment: ["COLOR": "red", "LANG": "de_DE.UTF-8"])
        #expect(
            texts(.standardOutput).filter { !$0.hasPrefix("PWD=") }.sorted() == [
                "AICO_ATTEMPT=1", "AICO_EXECUTION_ID=00000000-0000-4000-8000-000000000000",
                "AICO_OCCURRENCE=1970-01-01T00:00:00Z", "AICO_TASK_ID=user.test", "COLOR=red",
                "HOME=/aico/work", "LANG=de_DE.UTF-8", "LOGNAME=aico-user",
                "PATH=/usr/local/bin:/usr/bin:/bin", "USER=aico-user",
            ])
    }

    @Test func workingDirectoryIsEntered() async throws {
        _ = try await run(["pwd"], directory: "/usr/bin")
        #expect(texts(.standardOutput) == ["/usr/bin"])
    }

    @Test(arguments: [
        (script: "exit 3", message: "exited with code 3", permanent: false, code: 3, signal: 0),
        (
            script: "exit 75", message: "exited with code 75 (try again later)",
            permanent: false, code: 75, signal: 0
        ),
        (
            script: "exit 78", message: "exited with code 78 (wrong configuration)",
            permanent: true, code: 78, signal: 0
        ),
        (
            script: "exit 127", message: "exited with code 127 (command not found)",
            permanent: true, code: 127, signal: 0
        ),
        (
            script: "kill -KILL $$", message: "ended by signal 9", permanent: false,
            code: 137, signal: 9
        ),
    ])
    func exitCodeOrSignalDecides(
        _ row: (script: String, message: String, permanent: Bool, code: Int32, signal: Int32)
    ) async {
        let expected = TaskFailure.program(
            row.message, isPermanent: row.permanent, exitCode: row.code,
            signal: row.signal == 0 ? nil : row.signal)
        await #expect(throws: expected) { try await shell(row.script) }
    }

    @Test func mergedOutputIsOneStreamInTheOrderOfWriting() async throws {
        let script = "for i in $(seq 100); do echo o$i; echo e$i >&2; done"
        _ = try await recorder.run(
            CommandTask.self,
            config: [
                "argv": ["sh", "-c", .string(script)], "working_directory": "/",
                "merge_output": true,
            ])
        #expect(texts(.standardOutput) == (1...100).flatMap { ["o\($0)", "e\($0)"] })
        #expect(texts(.standardError).isEmpty)
    }

    @Test func programThatIsNotThereIsNamed() async {
        let places = "/usr/local/bin:/usr/bin:/bin"
        await #expect(
            throws: TaskFailure.permanent(
                "cannot run \"no-such-program\": not found in \(places)", exitCode: 127)
        ) { try await run(["no-such-program"]) }
        await #expect(
            throws: TaskFailure.permanent(
                "cannot run \"/etc/passwd\": it may not be executed", exitCode: 126)
        ) { try await run(["/etc/passwd"]) }
        await #expect(
            throws: TaskFailure.permanent(
                "cannot run \"true\": cannot enter \"/no/such\": No such file or directory",
                exitCode: 78)
        ) { try await run(["true"], directory: "/no/such") }
    }

    @Test(
        arguments: [
            ("/etc", "it is a directory", 126), ("/dev/null", "it is no file", 126),
            ("/no/such", "not found in the file system", 127),
            ("/etc/passwd/x", "not found in the file system", 127),
            ("./usr", "it is a directory", 126), ("usr/bin/nothing", "not found in", 127),
        ] as [(String, String, Int32)])
    func whatIsNoProgramIsNamedWithItsReason(path: String, reason: String, code: Int32) async {
        let failure = await #expect(throws: TaskFailure.self) { try await run([path]) }
        #expect(failure?.exitCode == code)
        #expect(failure?.message.hasPrefix("cannot run \"\(path)\": \(reason)") == true)
    }

    @Test func unfitFileInThePathIsNamed() async throws {
        let directory = "/tmp/aico-path-\(UInt32.random(in: 0 ... .max))"
        mkdir(directory, 0o755)
        mkdir("\(directory)/tool", 0o755)
        defer {
            rmdir("\(directory)/tool")
            unlink("\(directory)/script")
            rmdir(directory)
        }
        await #expect(
            throws: TaskFailure.permanent(
                "cannot run \"tool\": \"\(directory)/tool\": it is a directory", exitCode: 126)
        ) { try await run(["tool"], environment: ["PATH": directory]) }
        // A later one that fits is taken, relative names begin at the working directory.
        _ = try await run(["true"], environment: ["PATH": "\(directory):/usr/bin"])
        _ = try await run(["bin/true"], directory: "/usr")
        let script = open("\(directory)/script", O_WRONLY | O_CREAT, 0o755)
        let text = Array("#!/no/such\n".utf8)
        try #require(write(script, text, text.count) == text.count)
        close(script)
        await #expect(
            throws: TaskFailure.permanent(
                "cannot run \"./script\": its interpreter is not there", exitCode: 126)
        ) { try await run(["./script"], directory: directory) }
    }

    @Test func grandchildThatHoldsThePipesDoesNotHoldTheEnd() async throws {
        let before = ContinuousClock.now
        _ = try await shell("sleep 30 & echo $!")
        #expect(ContinuousClock.now - before < .seconds(20))
        let orphan = try #require(texts(.standardOutput).first.flatMap { Int32($0) })
        #expect(kill(orphan, SIGKILL) == 0)
    }

    @Test func cancelIsPassedOnAsTERM() async throws {
        recorder.cancel()
        await #expect(
            throws: TaskFailure.program(
                "ended by signal 15", isPermanent: false, exitCode: 143, signal: 15)
        ) {
            try await run(["sleep", "30"])
        }
    }

    @Test func stoppedCommandCleansUpOnCancel() async throws {
        var template = Array("/tmp/aico-stopped-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template)).withMemoryRebound(
            to: CChar.self, capacity: template.count
        ) { String(cString: $0) }
        let file = "\(directory)/pid"
        defer {
            unlink(file)
            rmdir(directory)
        }
        let script = "trap 'echo cleaned; exit 0' TERM; echo $$ >\(file); kill -STOP $$; exit 1"
        async let result = shell(script)
        let deadline = ContinuousClock.now + .seconds(60)
        func state() -> (process: Int32, isStopped: Bool)? {
            guard let text = File.text(file), let process = Int32(text.dropLast()),
                let status = File.text("/proc/\(process)/status")
            else { return nil }
            return (process, status.contains("T (stopped)"))
        }
        while state()?.isStopped != true, ContinuousClock.now < deadline { await Task.yield() }
        let process = try #require(state()?.process)
        recorder.cancel()
        // What never cleans up would be waited for without an end.
        let killer = Task {
            try await Task.sleep(for: .seconds(20))
            kill(process, SIGKILL)
        }
        _ = try await result
        killer.cancel()
        #expect(texts(.standardOutput) == ["cleaned"])
    }

    @Test func muchOutputArrivesWhole() async throws {
        _ = try await shell("seq 1 50000")
        let lines = texts(.standardOutput)
        #expect(lines.count == 50_000 && lines.first == "1" && lines.last == "50000")
    }

    @Test func signalsAreNeitherIgnoredNorBlockedInTheCommand() async throws {
        _ = try await run(["grep", "-E", "Sig(Ign|Blk)", "/proc/self/status"])
        let sets = texts(.standardOutput).map { UInt64($0.suffix(16), radix: 16) }
        // glibc's own, 32 and 33: its posix_spawn leaves them ignored in whatever it starts, and
        // the program's own C library takes them over with its first thread.
        let own: UInt64 = 0b11 << 31
        #expect(sets.map { $0.map { $0 & ~own } } == [0, 0])
    }
}
