// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// The policies of a task; verbs that write tasks have them.
struct PolicyOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The longest an attempt may take, as 90, 5m or 1h.", valueName: "span"))
    var timeout: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Time between TERM and KILL.", valueName: "span"))
    var grace: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How often a transient failure is tried again.", valueName: "number"))
    var retries: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Time before the first retry.", valueName: "span"))
    var retryDelay: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The longest time before a retry.", valueName: "span"))
    var retryMaxDelay: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What each further delay is multiplied with.", valueName: "number"))
    var retryFactor: Double?

    @Option(
        help: ArgumentHelp("When due while down: run_once, skip or run_all.", valueName: "word"))
    var misfire: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How late a missed run is still made up for.", valueName: "span"))
    var catchupWindow: String?

    @Option(
        help: ArgumentHelp(
            "When due while running: skip, queue_one, queue_all, cancel_old or allow.",
            valueName: "word"))
    var overlap: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Spread starts over this span.", valueName: "span"))
    var jitter: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Higher runs first.", valueName: "number"))
    var priority: Int?

    @Flag(inversion: .prefixedNo, help: "Run only while the machine is idle.")
    var idleOnly: Bool?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The longest a start may be put off.", valueName: "span"))
    var maxDefer: String?

    @Option(help: ArgumentHelp("After a crash under it: rerun or fail.", valueName: "word"))
    var onCrash: String?

    @Option(
        help: ArgumentHelp("In the hour clocks skip: run_after, shift or skip.", valueName: "word"))
    var dstGap: String?

    @Option(
        help: ArgumentHelp("In the hour clocks repeat: first, second or both.", valueName: "word"))
    var dstOverlap: String?

    /// The policies that were given, as the bus takes them.
    func members() throws(Failure) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        let spans = [
            ("timeout", timeout, "--timeout"), ("grace", grace, "--grace"),
            ("catchup_window", catchupWindow, "--catchup-window"), ("jitter", jitter, "--jitter"),
            ("max_defer", maxDefer, "--max-defer"),
        ]
        for (name, text, option) in spans {
            if let text { result[name] = try Self.seconds(text, option) }
        }
        let words = [
            ("misfire", misfire, "--misfire", ["run_once", "skip", "run_all"]),
            (
                "overlap", overlap, "--overlap",
                ["skip", "queue_one", "queue_all", "cancel_old", "allow"]
            ),
            ("on_crash", onCrash, "--on-crash", ["rerun", "fail"]),
        ]
        for (name, word, option, known) in words {
            if let word { result[name] = try Self.word(word, option, known) }
        }
        if let priority { result["priority"] = .int(priority) }
        if let idleOnly { result["idle_only"] = .bool(idleOnly) }
        let retry = try retryMembers()
        if !retry.isEmpty { result["retry"] = .object(retry) }
        let dst = try dstMembers()
        if !dst.isEmpty { result["dst"] = .object(dst) }
        return result
    }

    private func retryMembers() throws(Failure) -> [String: JSONValue] {
        var retry: [String: JSONValue] = [:]
        if let retries { retry["count"] = .int(retries) }
        if let retryDelay { retry["delay"] = try Self.seconds(retryDelay, "--retry-delay") }
        if let retryMaxDelay {
            retry["max_delay"] = try Self.seconds(retryMaxDelay, "--retry-max-delay")
        }
        if let retryFactor { retry["factor"] = .double(retryFactor) }
        return retry
    }

    private func dstMembers() throws(Failure) -> [String: JSONValue] {
        var dst: [String: JSONValue] = [:]
        if let dstGap {
            dst["gap"] = try Self.word(
                dstGap, "--dst-gap", DSTPolicy.Gap.allCases.map(\.rawValue))
        }
        if let dstOverlap {
            dst["overlap"] = try Self.word(
                dstOverlap, "--dst-overlap", DSTPolicy.Overlap.allCases.map(\.rawValue))
        }
        return dst
    }

    private static func seconds(_ text: String, _ option: String) throws(Failure) -> JSONValue {
        let seconds = try Checked.seconds(text, option: option)
        return seconds == seconds.rounded() ? .int(Int(seconds)) : .double(seconds)
    }

    private static func word(
        _ word: String, _ option: String, _ known: [String]
    ) throws(Failure) -> JSONValue {
        guard known.contains(word) else {
            throw Wording.badWord(word, option: option, known: known)
        }
        return .string(word)
    }
}
