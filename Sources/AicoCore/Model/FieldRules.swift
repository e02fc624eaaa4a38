// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What a config field's texts must be beyond their kind.
///
/// A type declares them, `--describe` prints them; the scheduler checks them when a task is made,
/// the worker before it runs.
public struct FieldRules: Sendable, Hashable {
    /// The fewest elements of a list or an object.
    public var minimumCount: Int?
    /// The most elements of a list or an object.
    public var maximumCount: Int?
    /// Whether a list's first element must not be empty: the program of an argv.
    public var isFirstNonempty = false
    /// Whether no text may contain a zero byte, which ends a text of execve(2).
    public var isWithoutZero = false
    /// Whether an object's keys must be names of environment variables.
    public var hasVariableNames = false
    /// What an object's keys must not begin with.
    public var reservedPrefix: String?
    /// Whether a text must be an absolute path.
    public var isAbsolutePath = false
    /// Whether a text must be base64.
    public var isBase64 = false

    /// Makes rules that permit everything.
    public init() {}

    /// Nothing beyond the kind.
    public static let none = FieldRules()

    /// The first rule that a value breaks, and what to write instead.
    public struct Violation: Error, Sendable, Hashable {
        /// What the field must be or must not be.
        public let reason: String
        /// What to write instead.
        public let hint: String
    }

    /// Checks a value of the field's kind.
    public func check(_ value: JSONValue) throws(Violation) {
        if let texts = value.array?.compactMap(\.string) {
            try check(count: texts.count)
            guard !isFirstNonempty || texts.first?.isEmpty != true else {
                throw Violation(
                    reason: "must begin with the name of a program, which is empty",
                    hint: "write as [\"/bin/echo\", \"hello\"]")
            }
            for text in texts { try check(text: text) }
        } else if let members = value.object?.compactMapValues(\.string) {
            try check(count: members.count)
            for (name, text) in members.sorted(by: { $0.key < $1.key }) {
                try check(name: name)
                try check(text: text, of: name)
            }
        } else if let text = value.string {
            try check(text: text)
        }
    }
}

extension FieldRules {
    private func check(count: Int) throws(Violation) {
        if let minimumCount, count < minimumCount {
            throw Violation(
                reason: "must have at least \(minimumCount) element\(minimumCount == 1 ? "" : "s")",
                hint: isFirstNonempty
                    ? "name a program and its arguments, as [\"/bin/echo\", \"hello\"]"
                    : "it has \(count)")
        }
        if let maximumCount, count > maximumCount {
            throw Violation(
                reason: "has \(count) elements, the limit is \(maximumCount)",
                hint: "write the rest into a file and name that")
        }
    }

    private func check(text: String, of name: String? = nil) throws(Violation) {
        guard !isWithoutZero || !text.utf8.contains(0) else {
            throw Violation(
                reason: "must not contain a zero byte"
                    + (name.map { ", as \"\(Self.shown($0))\" does" } ?? ""),
                hint: "write such bytes into a file and name that")
        }
        guard !isAbsolutePath || text.hasPrefix("/") else {
            throw Violation(
                reason: "must be an absolute path",
                hint: "write the path from the root on, as /aico/work/\(Self.shown(text))")
        }
        guard !isBase64 || Base64.decode(text) != nil else {
            throw Violation(
                reason: "must be base64 with padding", hint: "encode it with: base64 -w0 FILE")
        }
    }

    private func check(name: String) throws(Violation) {
        guard hasVariableNames else { return }
        let words = "\"\(Self.shown(name))\""
        guard Self.isVariableName(name) else {
            throw Violation(
                reason: "\(words) is no name of an environment variable",
                hint: "use letters of ASCII, digits and \"_\", a digit not as the first: "
                    + unreserved(Self.variableName(name)))
        }
        guard let reservedPrefix, name.hasPrefix(reservedPrefix) else { return }
        throw Violation(
            reason: "\(words) begins with \"\(reservedPrefix)\", which the task supervisor keeps"
                + " for its own variables",
            hint: "use another name, as \(unreserved(name))")
    }

    /// A name without the reserved prefix.
    private func unreserved(_ name: String) -> String {
        guard let reservedPrefix, name.hasPrefix(reservedPrefix) else { return name }
        return "MY_" + name.dropFirst(reservedPrefix.count)
    }

    private static func isVariableName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || isDigit($0) }
    }

    /// The nearest name that is one.
    private static func variableName(_ name: String) -> String {
        let bytes = name.utf8.prefix(64).map {
            isLetter($0) || isDigit($0) ? $0 : UInt8(ascii: "_")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return bytes.first.map { isLetter($0) } == true ? text : "_\(text)"
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    /// A text as a message may quote it: short, and of printable characters.
    private static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(64).map {
                    $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
                }))
    }
}
