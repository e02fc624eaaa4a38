// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

/// What is typed on a fresh system: the examples of `--help`, and what no shell has in UTF-8.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct HelpExampleTests {
    @Test func examplesOfCreateAndUpdateAreTaken() throws {
        let instance = try Instance(
            configuration: "tasks: {maintenance: {log_cleanup: {timeout: 604800}}}\n")
        for verb in ["create", "update"] {
            let help = try instance.aico(["scheduler", verb, "--help"])
            let lines = help.output.replacing("\\\n", with: " ").split(separator: "\n")
                .map { $0.drop { $0 == " " } }
            let examples = lines.filter { $0.hasPrefix("aico scheduler \(verb) ") }
            #expect(examples.count >= 3, "\(help.output)")
            for example in examples {
                let typed = try HostProcess(
                    ["/bin/sh", "-c", String(example)],
                    environment: [
                        "AICO_ROOT=\(instance.root)", "PATH=\(instance.bin):/usr/bin:/bin",
                        "HOME=/root",
                    ])
                let said = typed.remainingOutput(within: Built.patience(seconds: 60))
                #expect(
                    typed.waitForEnd(within: Built.patience(seconds: 10)) == 0,
                    "\(example): \(said)")
            }
        }
        // A limit of the configuration's that the profile cuts is shown as what holds, and no hindrance
        // to other changes.
        let changed = try instance.aico(
            ["scheduler", "update", "maintenance.log_cleanup", "--priority", "3"])
        #expect(changed.status == 0, "\(changed.output)")
        let shown = try instance.aico(["scheduler", "show", "maintenance.log_cleanup"]).output
        #expect(shown.contains("3600 s, the most that the class's profile permits"), "\(shown)")
        #expect(instance.stop() == 0)
    }

    /// A task would get other characters than were typed.
    @Test func whatIsNoUTF8IsRefused() throws {
        let instance = try Instance()
        func typed(_ word: String) throws -> (said: String, status: Int32?) {
            let process = try HostProcess(
                [
                    "/bin/sh", "-c",
                    "exec aico scheduler create user.x @yearly -- /bin/echo \"$(printf '\(word)')\"",
                ],
                environment: [
                    "AICO_ROOT=\(instance.root)", "PATH=\(instance.bin):/usr/bin:/bin",
                ])
            let said = process.remainingOutput(within: Built.patience(seconds: 60))
            return (said, process.waitForEnd(within: Built.patience(seconds: 10)))
        }
        let refused = try typed("caf\\351")
        #expect(refused.status == 2 << 8, "\(refused.said)")
        #expect(
            refused.said.contains("word 7 of the command line, \"caf\\xe9\": it is not UTF-8"),
            "\(refused.said)")
        #expect(try !instance.aico(["scheduler", "list"]).output.contains("user.x"))
        // The control.
        let taken = try typed("caf\\303\\251")
        #expect(taken.status == 0, "\(taken.said)")
        let ended = try instance.aico(["scheduler", "run", "user.x", "--follow"])
        #expect(ended.output.contains("café"), "\(ended.output)")
        #expect(instance.stop() == 0)
    }
}
