// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// An attempt as the scheduler describes it: what ended it, what it used, which layers held.
struct AttemptView {
    let number: Int
    let started: Instant?
    let outcome: String?
    let exitCode: Int?
    let signal: Int?
    let cause: String?
    /// What it said of its failure, as it ended.
    let error: String?
    let usage: String?
    /// What its command left running, which was killed.
    let leftBehind: String?
    let held: [String]
    let missing: [String]

    init(_ json: JSONValue) {
        number = json["number"]?.int ?? 0
        started = json.instant("started_at")
        outcome = json["outcome"]?.string
        exitCode = json["exit_code"]?.int
        signal = json["signal"]?.int
        cause = json["cause"].flatMap(Self.describe(cause:))
        error = json["error"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        usage = json["usage"].flatMap(Self.describe(usage:))
        leftBehind = json["left_behind"].flatMap(Self.describe(leftBehind:))
        held = (json["layers"]?["held"]?.array ?? []).compactMap(\.string)
        missing = (json["layers"]?["missing"]?.array ?? []).map { layer in
            let detail = layer["detail"]?.string ?? ""
            return "\(layer["layer"]?.string ?? "?") (errno \(layer["errno"]?.int ?? 0)"
                + (detail.isEmpty ? ")" : ", \(detail))")
        }
    }

    /// Adds what is known to a sheet.
    func describe(in sheet: inout FieldList) {
        var how = outcome ?? "running"
        if let exitCode { how += ", exit code \(exitCode)" }
        if let signal { how += ", signal \(signal)" }
        sheet.add("attempt \(number)", how, Style.of(outcome ?? "running"))
        sheet.add("  stopped by", cause, .bad)
        sheet.add("  error", error, .bad)
        sheet.add("  used", usage)
        sheet.add("  left", leftBehind, .warning)
        sheet.add("  layers", held.isEmpty ? nil : held.joined(separator: " "))
        sheet.add(
            "  missing", missing.isEmpty ? nil : missing.joined(separator: ", "), .warning)
    }

    private static func describe(cause: JSONValue) -> String? {
        guard let kind = cause["kind"]?.string else { return nil }
        switch kind {
        case "denied_syscall":
            let arguments = (cause["arguments"]?.array ?? []).map { argument in
                argument.int.map { "0x" + String(UInt(bitPattern: $0), radix: 16) }
                    ?? argument.text()
            }
            let call = "\(cause["syscall"]?.string ?? "?")(\(arguments.joined(separator: ", ")))"
            return "denied system call \(call)"
        case "layer_refused":
            let message = cause["message"]?.string.map { ": \($0)" } ?? ""
            return "layer \(cause["layer"]?.string ?? "?") refused with errno "
                + "\(cause["errno"]?.int ?? 0)\(message)"
        default:
            let words = kind.split(separator: "_").joined(separator: " ")
            return cause["message"]?.string.map { "\(words): \($0)" } ?? words
        }
    }

    private static func describe(leftBehind: JSONValue) -> String? {
        guard let count = leftBehind["count"]?.int, count > 0 else { return nil }
        let names = (leftBehind["names"]?.array ?? []).compactMap(\.string)
        return "\(count) process\(count == 1 ? "" : "es"), killed"
            + (names.isEmpty ? "" : ": \(names.joined(separator: ", "))")
    }

    private static func describe(usage: JSONValue) -> String? {
        var parts: [String] = []
        if let wall = usage["wall"]?.double { parts.append("\(HumanTime.length(wall)) wall") }
        if let user = usage["user_cpu"]?.double, let system = usage["system_cpu"]?.double {
            parts.append("\(HumanTime.length(user + system)) CPU")
        }
        if let peak = usage["peak_memory_bytes"]?.double {
            parts.append("peak \(HumanSize.bytes(peak))")
        }
        if let processes = usage["peak_processes"]?.int {
            parts.append("\(processes) process\(processes == 1 ? "" : "es")")
        }
        if let hits = usage["process_limit_hits"]?.int, hits > 0 {
            parts.append("process limit hit \(hits) times")
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}
