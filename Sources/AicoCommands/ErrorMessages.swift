// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Glibc
import TimeZones

/// Every sentence on what went wrong: what, why, and what to type next.
enum ErrorMessages {
    // MARK: Values of the command line

    static func badID(_ error: TaskIDError) -> Failure {
        Failure(.usage, error.description, hint: "write an id such as user.photos")
    }

    /// `zone` says what is wrong with the zone in the hint, where something is.
    static func badSchedule(_ error: ScheduleError, zone: TimeZoneError? = nil) -> Failure {
        guard let zone else { return Failure(.usage, error.message, hint: error.hint) }
        let better = zone.hint.firstMatch(of: /^write ([^ ]+)$/).map { String($0.1) }
        return Failure(
            .usage, "\(error.message), and \(zone.message)",
            hint: error.hint.replacing(
                "--timezone \(zone.name)",
                with: better.map { "--timezone \($0)" }
                    ?? "--timezone with a name below \(TimeZoneStore.directory), as Europe/Berlin"))
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
            hint: "write --since 2h, --since 1h30m, --since 7d or --since 2025-01-15T10:00:00Z")
    }

    static func negativeSince(_ text: String) -> Failure {
        Failure(
            .usage, "cannot use --since \"\(text)\": it is negative, and spans count back from now",
            hint: "write --since \(text.drop { $0 == "-" })")
    }

    static func longSince(_ text: String) -> Failure {
        Failure(
            .usage, "cannot use --since \"\(text)\": the longest span is 3650d",
            hint: "write --since 3650d, or an instant as --since 2010-01-15T10:00:00Z")
    }

    static func badLeast(_ count: Int, option: String) -> Failure {
        Failure(
            .usage, "cannot use \(option) \(count): it must be at least 1",
            hint: "write \(option) 1 or more")
    }

    static func badCount(_ count: Int, maximum: Int) -> Failure {
        Failure(
            .usage, "cannot give \(count) times: the count must be 1 to \(maximum)",
            hint: "write --count 5")
    }

    /// - Parameter number: counted from 1, behind `aico`.
    static func notUTF8(_ word: [UInt8], number: Int) -> Failure {
        let shown = word.prefix(60).map { byte in
            (0x20..<0x7F).contains(byte) && byte != 0x5C
                ? String(UnicodeScalar(byte))
                : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return Failure(
            .usage,
            "cannot take word \(number) of the command line, \"\(shown.joined())\": it is not UTF-8",
            hint: "name what it means in a script, and have the task run that: "
                + "-- /bin/sh /path/to/script")
    }

    static func badDuration(_ text: String, option: String) -> Failure {
        Failure(
            .usage, "cannot read \(option) \"\(text)\": it is not a span of time",
            hint: "write \(option) 90, \(option) 90s, \(option) 5m or \(option) 1h30m")
    }

    /// The limit that counts is that of the class's profile, which only the scheduler knows: the
    /// largest number that the option takes would be refused next.
    static func longTimeout(_ text: String, expected: String) -> Failure {
        Failure(
            .usage,
            "cannot use --timeout \"\(text)\": it must be \(expected), and no more than the "
                + "profile of the task's class permits (limits.wall_seconds)",
            hint: "leave --timeout out for the default of the class")
    }

    /// A span that would be one without its dash.
    static func negative(_ text: String, option: String, expected: String, better: String)
        -> Failure
    {
        Failure(
            .usage, "cannot use \(option) \"\(text)\": it is negative; it must be \(expected)",
            hint: "write \(option) \(better)")
    }

    static func longInput(_ option: String, _ bytes: Int, carried: Int?) -> Failure {
        let limit = AttemptOrder.maximumConfigBytes
        let size = carried.map { "\(bytes) bytes, which take \($0) in the config" }
        return Failure(
            .usage,
            "cannot take \(option): it has \(size ?? "more than \(bytes) bytes"); a task's config "
                + "has \(limit) bytes at most, all its members together",
            hint: "keep it in a file that the task may read, and have the command read that")
    }

    static func noCommandFor(_ task: String, taskClass: String) -> Failure {
        Failure(
            .usage,
            "cannot give \"\(task)\" a command: a task of class \(taskClass) runs its type's own "
                + "code, only user and custom tasks run commands",
            hint: "its schedule, policies and --config can be changed; "
                + "see what they are with \"aico scheduler show \(task)\"")
    }

    static func delayBeyondLongest(_ delay: String, _ longest: String) -> Failure {
        Failure(
            .usage,
            "cannot wait \(delay) before a retry: --retry-max-delay \(longest) is the longest",
            hint: "write a --retry-delay of at most \(longest), or a longer --retry-max-delay")
    }

    static func badWord(_ word: String, option: String, known: [String]) -> Failure {
        let nearest = NearestWord.find(word, in: known)
        return Failure(
            .usage, "cannot use \(option) \"\(word)\": there is no such word",
            hint: nearest.map { "write \(option) \($0)" }
                ?? "write one of \(known.joined(separator: ", "))")
    }

    /// `nearest` is the value in range that lies nearest to what was typed.
    static func badPolicy(
        _ text: String, option: String, expected: String, nearest: String
    ) -> Failure {
        Failure(
            .usage, "cannot use \(option) \"\(text)\": it must be \(expected)",
            hint: "write \(option) \(nearest)")
    }

    static func badConfig(_ reason: String) -> Failure {
        Failure(
            .usage, "cannot read --config: \(reason)",
            hint: "write --config '{\"retention_days\":30}' or --config @file.json")
    }

    static func unreadableFile(_ path: String, _ reason: String, hint: String = "") -> Failure {
        Failure(
            .usage, "cannot read \"\(path)\": \(reason)",
            hint: hint.isEmpty ? "write @FILE with the path of a file, as in @/etc/hostname" : hint)
    }

    static func badTarget(_ text: String) -> Failure {
        Failure(
            .usage,
            "cannot tell what \"\(text)\" names: a task's id has a dot in it, an execution's is "
                + "4 or more hex digits",
            hint: "see both with \"aico scheduler history\"")
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
        hint: "type: aico schedule next \"0 2 * * *\", or give lines of JSON with --stdin")

    static let expressionAndLines = Failure(
        .usage, "cannot take an expression and --stdin together", hint: "leave out one of them")

    static func conflicting(_ first: String, _ second: String) -> Failure {
        Failure(
            .usage, "cannot take \(first) and \(second) together", hint: "leave out one of them")
    }

    static let purgeNeedsWord = Failure(
        .usage, "cannot purge: neither a dead letter nor --all is given",
        hint: "type: aico scheduler dlq purge 7, or --all for every one")

    // MARK: Standard streams

    static func unreadableInput(_ reason: String) -> Failure {
        Failure(.failed, "cannot read standard input: \(reason)")
    }

    /// Nobody reads any more where the pipe is broken: that needs no words.
    static func unwritable(_ fault: StandardStream.Fault) -> Failure {
        guard fault.number != EPIPE else { return Failure(.unread, "") }
        return Failure(
            .failed, "cannot write to standard output: \(fault.reason)",
            hint: "write it elsewhere; what was changed or started before stays so")
    }

    // MARK: Things that are not there

    static func neverRan(_ task: String) -> Failure {
        Failure(
            .notFound, "cannot show the output of \"\(task)\": it never ran",
            hint: "run it with \"aico scheduler run \(task) --follow\"")
    }

    // MARK: The daemon

    static func bus(_ error: BusError, root: String) -> Failure {
        let status: ExitStatus =
            switch error {
            case .noDaemon, .silent, .crowded, .connectionLost: .noDaemon
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
        if case .noDaemon = error {
            return Failure(status, error.description, hint: start(root))
        }
        return Failure(status, error.description, hint: error.hint)
    }

    /// How the system under a root is started; the supervisor takes absolute paths only.
    private static func start(_ root: String) -> String {
        if let supervisor = SupervisorLock.holder(root: root) {
            return "its supervisor (pid \(supervisor)) runs and is about to start it: try again in "
                + "some seconds; where that goes on, the supervisor's log says why"
        }
        guard !root.isEmpty else {
            return "start it with \"aico-supervisor\", or name its root with --root"
        }
        let path = ShellWord.quoted(AbsolutePath.of(root))
        return "start it with \"aico-supervisor --root \(path)\", or name another --root"
    }

    static func endlessPages(_ cursor: String) -> Failure {
        Failure(
            .failed, "cannot list: after \"\(cursor)\" the scheduler names the same place again")
    }

    static func neverStarted(root: String, key: String) -> Failure {
        Failure(
            .noDaemon, "cannot reach the scheduler: there is no key file \"\(key)\"",
            hint: start(root))
    }

    static func noKey(_ key: String) -> Failure {
        Failure(
            .refused, "cannot use the key file \"\(key)\": there is none",
            hint: "name one that is there with --key, or leave --key out for the admin's")
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

    static func leftRunning(_ execution: String, task: String) -> PlainText {
        "execution \(execution) goes on; see it with \"aico scheduler logs \(task) --follow\", "
            + "end it with \"aico scheduler cancel \(task)\""
    }

    static let schedulerWentAway: PlainText = "the scheduler went away; waiting for it to come back"
    static let schedulerIsBack: PlainText = "the scheduler is back"
    static let noTasks: PlainText = "there are no tasks"
    static let noExecutions: PlainText = "there are no executions"
    static let noDeadLetters: PlainText = "there are no dead letters"
    static let nothingDue: PlainText = "nothing is due"

    static func leftOut(_ rows: Int) -> PlainText {
        let (what, are) =
            rows == 1
            ? ("1 row of the store", "is left out") : ("\(rows) rows of the store", "are left out")
        return "\(what) could not be read and \(are); \"aico scheduler health\" says more"
    }

    static func moreTasks(after id: String) -> PlainText {
        "there are more tasks; go on with --after \(id)"
    }

    static func moreDeadLetters(after number: Int) -> PlainText {
        "there are more dead letters; go on with --after \(number)"
    }

    /// Why a schedule has no next time, and what to write instead.
    static func neverFires(_ schedule: Schedule) -> PlainText {
        switch schedule.kind {
        case .at:
            "it never fires: that instant is past; write one that is to come"
        case .reboot:
            "it never fires by the clock: @reboot runs once after each boot of the machine"
        case .cron where !schedule.hasDays:
            "it never fires: no year has such a day; write one that comes, as in \"0 2 28 2 *\""
        case .cron, .interval:
            "it never fires"
        }
    }
}
