// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// The filters of the shipped profiles on the real kernel, with the same action outside.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct CompiledFilterTests {
    /// What a task tries; `PATH` is a new name in /tmp.
    struct Row: Sendable, CustomTestStringConvertible {
        var scenario: String
        var outside: String
        var inside: String
        var testDescription: String { scenario }
    }

    static let rows =
        ["open", "temporary", "creat", "chmod", "fchmod", "fchmodat", "mkdir", "mkdirat"].flatMap {
            call in
            let path = call == "temporary" ? "/tmp" : "PATH"
            // The control: the same without the bits, and with them where no filter is.
            return [Row(scenario: "mode \(call) \(path) 1755", outside: "ok", inside: "ok")]
                + ["4755", "2755", "6000"].map { mode in
                    let isLeft =
                        call.hasPrefix("mkdir") || call.contains("chmod") && mode == "2755"
                    return Row(
                        scenario: "mode \(call) \(path) \(mode)", outside: "ok",
                        inside: isLeft ? "ok" : "errno \(EPERM)")
                }
        } + [
            Row(scenario: "wx", outside: "ran 42", inside: "errno \(EACCES)"),
            // RLIMIT_CORE is 4, RLIMIT_NOFILE 7.
            // Answered as done, which `aCoreLimitStaysAsItIs` sees that it is not.
            Row(scenario: "setlimit 4 0", outside: "ok", inside: "ok"),
            Row(scenario: "setlimit 7 20", outside: "ok", inside: "ok"),
            // openat2(AT_FDCWD, ...): EFAULT where it is there.
            Row(
                scenario: "call 437 -100 0 0 24", outside: "errno \(EFAULT)",
                inside: "errno \(ENOSYS)"),
        ]

    @Test(arguments: rows) func classUserIsAnswered(row: Row) throws {
        let path = "/tmp/aico-filter-\(getpid())"
        defer {
            unlink(path)
            rmdir(path)
        }
        let scenario = row.scenario.replacing("PATH", with: path)
        #expect(try AttemptFixture.outside(scenario) == row.outside)
        var fixture = AttemptFixture()
        fixture.plan.taskFilter = try Self.filter(of: .user)
        let outcome = try fixture.run(scenario)
        #expect(outcome.said == row.inside, "\(outcome)")
        #expect(outcome.ended("status") == 0 && outcome.denied == nil, "\(outcome)")
    }

    @Test(arguments: TaskClass.allCases) func everyFilterLetsATaskBeginAndEnd(
        taskClass: TaskClass
    ) throws {
        var fixture = AttemptFixture(userNamespace: taskClass == .user || taskClass == .agency)
        fixture.plan.taskFilter = try Self.filter(of: taskClass)
        let outcome = try fixture.run("limits", "wx")
        // Open files are limited after the filter is in force.
        #expect(outcome.said == "1/1 0/0 64/64 33554432/33554432", "\(outcome)")
        #expect(outcome.lines.contains("said errno \(EACCES)"), "\(outcome)")
    }

    /// The fork server answers and counts, and the task goes on.
    @Test func refusedCodeMemoryIsCounted() throws {
        var fixture = AttemptFixture()
        fixture.plan.taskFilter = try Self.filter(of: .user)
        let outcome = try fixture.run("wx")
        #expect(outcome.said == "errno \(EACCES)", "\(outcome)")
        #expect((outcome.ended("code") ?? 0) > 0 && outcome.denied == nil, "\(outcome)")
        let control = try fixture.run("limits")
        #expect(control.ended("code") == 0, "\(control)")
    }

    @Test func aCoreLimitStaysAsItIs() throws {
        var fixture = AttemptFixture()
        fixture.plan.taskFilter = try Self.filter(of: .user)
        let outcome = try fixture.run("setlimit 4 0", "limits")
        #expect(outcome.said == "ok", "\(outcome)")
        #expect(outcome.lines.contains { $0.hasPrefix("said 1/1 ") }, "\(outcome)")
    }

    private static func filter(of taskClass: TaskClass) throws -> [FilterInstruction] {
        try #require(filters[taskClass]).get()
    }

    /// Compiled once each: the profiles do not change while tests run.
    private static let filters = Dictionary(
        uniqueKeysWithValues: TaskClass.allCases.map { taskClass in
            let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            let filter = Result {
                let profile = try ProfileCompiler.read(
                    class: taskClass, profilesDirectory: "/\(root)/sandbox-profiles")
                return try TaskFilter(
                    profile, identity: ClassIdentities.Identity(userID: 65534, groupID: 65534)
                ).compile()
            }
            return (taskClass, filter)
        })
}
