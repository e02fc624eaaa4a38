// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import TimeZones

/// Every sentence on what went wrong: what, why, and what to type next.
enum Wording {
    // MARK: Values of the command line

    static func badID(_ error: TaskIDError) -> Failure {
        Failure(.usage, error.description, hint: "write an id such as user.photos")
    }

    static func badSchedule(_ error: ScheduleError) -> Failure {
        Failure(.usage, error.message, hint: error.hint)
    }

    static func badZone(_ error: TimeZoneError) -> Failure {
        Failure(.usage, error.message, hint: error.hint)
    }

    static func badInstant(_ text: String, option: String) -> Failure {
        Failure(
            .usage, "cannot read \(option) \"\(text)\": it is not a date, a time and a zone",
            hint: "write \(option) 2025-01-15T10:00:00Z")
    }

    static func badSince(_ text: String) -> Failure {
        Failure(
            .usage, "cannot read --since \"\(text)\": it is neither a span nor an instant",
            hint: "write --since 2h, --since 7d or --since 2025-01-15T10:00:00Z")
    }

    static func badCount(_ count: Int, maximum: Int) -> Failure {
        Failure(
            .usage, "cannot give \(count) times: the count must be 1 to \(maximum)",
            hint: "write --count 5")
    }

    static func badDuration(_ text: String, option: String) -> Failure {
        Failure(
            .usage, "cannot read \(option) \"\(text)\": it is not a span of time",
            hint: "write \(option) 90, \(option) 90s, \(option) 5m or \(option) 1h")
    }

    static func badEnvironment(_ text: String) -> Failure {
        Failure(
            .usage, "cannot read --env \"\(text)\": it has no name before a \"=\"",
            hint: "write --env NAME=VALUE")
    }

    static func badWord(_ word: String, option: String, known: [String]) -> Failure {
        let nearest = NearestWord.find(word, in: known)
        return Failure(
            .usage, "cannot use \(option) \"\(word)\": there is no such word",
            hint: nearest.map { "write \(option) \($0)" }
                ?? "write one of \(known.joined(separator: ", "))")
    }

    static func badConfig(_ reason: String) -> Failure {
        Failure(
            .usage, "cannot read --config: \(reason)",
            hint: "write --config '{\"retention_days\":30}' or --config @file.json")
    }

    static func unreadableFile(_ path: String, _ reason: String) -> Failure {
        Failure(.usage, "cannot read \"\(path)\": \(reason)")
    }

    static let commandAndType = Failure(
        .usage, "cannot take a command for this type: only user.command runs one",
        hint: "leave out --type, or what follows \"--\"")

    static let nothingToRun = Failure(
        .usage, "cannot create a task that runs nothing: there is neither a command nor a type",
        hint: "add the command at the end: -- /usr/bin/true, or name a type with --type")

    static let nothingToChange = Failure(
        .usage, "cannot update: nothing is to be changed",
        hint: "name what to change, as in --schedule \"0 2 * * *\"")

    static let noExpression = Failure(
        .usage, "cannot give times: there is no expression",
        hint: "write aico schedule next \"0 2 * * *\", or give lines of JSON with --stdin")

    static let expressionAndLines = Failure(
        .usage, "cannot take an expression and --stdin together", hint: "leave out one of them")

    static func conflicting(_ first: String, _ second: String) -> Failure {
        Failure(
            .usage, "cannot take \(first) and \(second) together", hint: "leave out one of them")
    }

    static let purgeNeedsWord = Failure(
        .usage, "cannot purge: neither a dead letter nor --all is given",
        hint: "write aico scheduler dlq purge 7, or --all for every one")

    static func unreadableInput(_ reason: String) -> Failure {
        Failure(.failed, "cannot read standard input: \(reason)")
    }

    // MARK: Things that are not there

    static func ambiguous(_ prefix: String, _ count: Int) -> Failure {
        Failure(
            .usage, "cannot tell which execution \"\(prefix)\" is: \(count) begin so",
            hint: "write more of it; \"aico scheduler history --json\" shows whole ids")
    }

    static func noExecution(_ id: String) -> Failure {
        Failure(
            .notFound, "cannot find execution \"\(id)\": there is none among the latest",
            hint: "see them with \"aico scheduler history\"")
    }

    static func neverRan(_ task: String) -> Failure {
        Failure(
            .notFound, "cannot show the output of \"\(task)\": it never ran",
            hint: "run it with \"aico scheduler run \(task) --follow\"")
    }

    // MARK: The daemon

    static func bus(_ error: BusError) -> Failure {
        let status: ExitStatus =
            switch error {
            case .noDaemon, .connectionLost: .noDaemon
            case .notAdmitted, .badKeyFile: .refused
            case .requestTooLarge: .usage
            case .badReply, .transport: .failed
            case .refused:
                switch error.code {
                case .notFound: .notFound
                case .notPermitted: .refused
                case .invalid: .usage
                case .malformed, .tooLarge, .unknownTopic, .unsupportedVersion, .conflict,
                    .unavailable, .internal, nil:
                    .failed
                }
            }
        return Failure(status, error.description, hint: error.hint)
    }

    static func neverStarted(root: String, key: String) -> Failure {
        Failure(
            .noDaemon, "cannot reach the scheduler: there is no key file \"\(key)\"",
            hint: root.isEmpty
                ? "start it with \"aico-supervisor\", or name its root with --root"
                : "start it with \"aico-supervisor --root \(root)\", or name another --root")
    }

    static func keyForbidden(_ key: String) -> Failure {
        Failure(
            .refused, "cannot use the key file \"\(key)\": Permission denied",
            hint: "use sudo, or name a key file of your own with --key")
    }

    static func followLost() -> Failure {
        Failure(
            .noDaemon, "cannot follow: the scheduler went away and did not come back",
            hint: "look with \"aico scheduler history\" once it runs again")
    }

    static func notGone(_ seconds: Int) -> Failure {
        Failure(
            .failed, "cannot say that the supervisor stopped: it still runs after \(seconds) s",
            hint: "look with \"aico supervisor status\", or wait longer with --timeout")
    }

    // MARK: Talk

    static func leftRunning(_ execution: String, task: String) -> String {
        "execution \(execution) goes on; see it with \"aico scheduler logs \(task) --follow\", "
            + "end it with \"aico scheduler cancel \(task)\""
    }

    static let schedulerWentAway = "the scheduler went away; waiting for it to come back"
    static let schedulerIsBack = "the scheduler is back"
    static let noTasks = "there are no tasks"
    static let noExecutions = "there are no executions"
    static let noDeadLetters = "there are no dead letters"
    static let nothingDue = "nothing is due"
    static let neverFires = "it never fires"
}
