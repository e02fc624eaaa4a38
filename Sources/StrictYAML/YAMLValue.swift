// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// A parsed YAML value that knows its line, and nothing of YAML's surprises: no anchors, no tags,
/// no implicit types.
package struct YAMLValue: Sendable, Equatable {
    /// What stands there.
    package indirect enum Content: Sendable, Equatable {
        /// Text; `plain` where it stood without quotes.
        case scalar(String, plain: Bool)
        /// The items of a list.
        case list([YAMLValue])
        /// The entries of a mapping, in file order, without duplicates.
        case mapping([YAMLEntry])
    }

    /// What stands there.
    package var content: Content
    /// Counted from 1.
    package var line: Int
    /// The file it came from.
    package var file: String

    package init(content: Content, line: Int, file: String) {
        self.content = content
        self.line = line
        self.file = file
    }

    /// A failure at this value.
    package func failure(_ reason: String, nearest: String? = nil) -> YAMLFailure {
        YAMLFailure(file: file, line: line, reason: reason, nearest: nearest)
    }
}

/// One `key: value` of a mapping.
package struct YAMLEntry: Sendable, Equatable {
    /// The key's text.
    package var key: String
    /// The line of the key.
    package var line: Int
    /// What stands after the colon.
    package var value: YAMLValue
}

extension YAMLValue {
    /// How messages name what stands there.
    package var kindName: String {
        switch content {
        case .scalar("", plain: true): "nothing"
        case .scalar(let text, _): "'\(text.prefix(40))'"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    /// Reads text, quoted or not.
    package func string(_ name: String) throws(YAMLFailure) -> String {
        guard case .scalar(let text, let plain) = content, !(plain && text.isEmpty) else {
            throw failure("'\(name)' must be text, not \(kindName)")
        }
        return text
    }

    /// Reads `true` or `false`, without quotes.
    package func bool(_ name: String) throws(YAMLFailure) -> Bool {
        switch content {
        case .scalar("true", plain: true): return true
        case .scalar("false", plain: true): return false
        case .scalar, .list, .mapping:
            throw failure("'\(name)' must be true or false, not \(kindName)")
        }
    }

    /// Reads a decimal whole number in a range, without quotes.
    package func integer(
        _ name: String, in range: ClosedRange<Int>
    ) throws(YAMLFailure) -> Int {
        guard case .scalar(let text, plain: true) = content,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2D }),
            let number = Int(text)
        else { throw failure("'\(name)' must be a whole number, not \(kindName)") }
        guard range.contains(number) else {
            throw failure(
                "'\(name)' must be between \(range.lowerBound) and \(range.upperBound), "
                    + "not \(number)")
        }
        return number
    }

    /// Reads a decimal number in a range, without quotes.
    package func number(
        _ name: String, in range: ClosedRange<Double>
    ) throws(YAMLFailure) -> Double {
        guard case .scalar(let text, plain: true) = content,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E }),
            let number = Double(text)
        else { throw failure("'\(name)' must be a number, not \(kindName)") }
        guard range.contains(number) else {
            throw failure(
                "'\(name)' must be between \(RangeText.number(range.lowerBound)) and "
                    + "\(RangeText.number(range.upperBound)), not \(text)")
        }
        return number
    }

    /// Reads a list; an absent value is an empty one.
    package func list(_ name: String) throws(YAMLFailure) -> [YAMLValue] {
        switch content {
        case .list(let items): return items
        case .scalar("", plain: true): return []
        case .scalar, .mapping: throw failure("'\(name)' must be a list, not \(kindName)")
        }
    }

    /// Reads a mapping with known keys only; an absent value is an empty one.
    package func mapping(
        _ name: String, keys known: [String]
    ) throws(YAMLFailure) -> [String: YAMLValue] {
        var result: [String: YAMLValue] = [:]
        for entry in try entries(name) {
            guard known.contains(entry.key) else {
                throw YAMLFailure(
                    file: file, line: entry.line,
                    reason: "unknown key '\(entry.key.prefix(64))'"
                        + (name.isEmpty ? "" : " in '\(name)'"),
                    nearest: nearestWord(to: entry.key, among: known))
            }
            result[entry.key] = entry.value
        }
        return result
    }

    /// Reads a mapping with any keys; an absent value is an empty one.
    package func entries(_ name: String) throws(YAMLFailure) -> [YAMLEntry] {
        switch content {
        case .mapping(let entries): return entries
        case .scalar("", plain: true): return []
        case .scalar, .list:
            throw failure(
                name.isEmpty
                    ? "the file must be a mapping of keys, not \(kindName)"
                    : "'\(name)' must be a mapping, not \(kindName)")
        }
    }
}
