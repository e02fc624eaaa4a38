// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import BusClient
import Testing

/// What a command leaves running is killed with its attempt, counted and named.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason), .oneInstance)
struct LeftBehindTests {
    private func run(_ name: String, _ script: String) throws -> EndedExecution {
        try OneInstance.shared().runToEnd(name, argv: ["/bin/bash", "-c", script])
    }

    @Test func whatRunsOnIsCountedAndNamed() throws {
        let ended = try run(
            "user.left",
            "(sleep 100; echo late) & nohup tail -f /dev/null > /dev/null 2>&1 & echo done")
        #expect(ended.outcome == "succeeded" && ended.lines == ["done"], "\(ended.data.text())")
        let left = try #require(ended.attempt["left_behind"])
        // The subshell may not have started its sleep yet, nor nohup become what it runs.
        let count = try #require(left["count"]?.int, "\(ended.data.text())")
        #expect(2...3 ~= count, "\(left.text())")
        #expect(left["names"]?.array?.contains("bash") == true, "\(left.text())")
        let shown = try OneInstance.shared().aico(["scheduler", "show", ended.identifier])
        #expect(shown.output.contains("\(count) processes, killed: "), "\(shown.output)")
    }

    /// A failure is told of as well, and a name is what the kernel has, cleaned.
    @Test func aFailureAndANameThatWasChosenAreToldOfToo() throws {
        let ended = try run(
            "user.chosen",
            """
            mkfifo /tmp/ready
            perl -e '$0 = "a\\e[1m,b"; open(F, ">", "/tmp/ready"); print F "x"; close F; sleep 100' &
            read line < /tmp/ready
            exit 3
            """)
        #expect(ended.exitCode == 3, "\(ended.data.text())")
        #expect(
            ended.attempt["left_behind"] == ["count": 1, "names": ["a?[1m?b"]],
            "\(ended.data.text())")
    }

    /// The control: what ends with the command, or was reaped late, is nothing left.
    @Test(arguments: ["true", "sleep 0 & wait", "(exit 0) & (exit 0) & wait; exec /bin/true"])
    func nothingLeftIsNothingTold(script: String) throws {
        let ended = try run("user.whole\(script.utf8.count)", script)
        #expect(ended.outcome == "succeeded", "\(ended.data.text())")
        #expect(ended.attempt["left_behind"] == .null, "\(ended.data.text())")
    }
}
