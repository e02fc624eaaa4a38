// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

struct CanaryRulesTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let id: String
        var lines = [CanaryReport(open: []).line]
        var end = CanaryRules.End.denied("unshare")
        let verdict: CanaryRules.Finding
        var testDescription: String { id }
    }

    private static let all = EscapeCheck.allCases.count
    private static let twoOpen = CanaryReport(open: [.runUnfiltered, .readShadow]).line
    private static let unread = CanaryRules.Finding.failed(
        "its canary reported nothing that can be read")

    @Test(arguments: [
        Row(id: "all closed and denied", verdict: .passed(all)),
        Row(
            id: "two ways open, in the order of the list", lines: [twoOpen],
            verdict: .failed(
                "its canary could open /etc/shadow, run without a system call filter")),
        Row(
            id: "a way open counts before the end", lines: [twoOpen], end: .missing,
            verdict: .failed(
                "its canary could open /etc/shadow, run without a system call filter")),
        Row(
            id: "a way open counts in a second line", lines: ["", twoOpen],
            verdict: .failed(
                "its canary could open /etc/shadow, run without a system call filter")),
        Row(
            id: "succeeded", end: .otherwise("it succeeded"),
            verdict: .failed("its canary was not ended by unshare: it succeeded")),
        Row(
            id: "another call", end: .denied("ptrace"),
            verdict: .failed("its canary was ended by ptrace, not by unshare")),
        Row(
            id: "late, though all is closed", end: .missing,
            verdict: .failed("its canary did not end in time")),
        Row(id: "no line", lines: [], verdict: unread),
        Row(id: "another line", lines: ["hello"], verdict: unread),
        Row(
            id: "two lines", lines: [CanaryReport(open: []).line, CanaryReport(open: []).line],
            verdict: unread),
        Row(
            id: "a way left out", lines: [CanaryReport(tried: all - 1, open: []).line],
            verdict: .failed("its canary tried \(all - 1) of \(all) ways out")),
    ])
    func endIsJudged(row: Row) {
        #expect(CanaryRules.judge(lines: row.lines, end: row.end) == row.verdict)
    }
}
