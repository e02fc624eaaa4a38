// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Yams

/// Parses one YAML document to plain values with line numbers.
package enum StrictYAML {
    /// Larger files are refused unread.
    package static let maximumBytes = 64 * 1024
    /// Bounds the parser's recursion together with `maximumFlowBrackets`.
    static let maximumLineBytes = 1000
    static let maximumFlowBrackets = 2000

    /// Parses `bytes`; an empty document is an empty mapping.
    package static func parse(_ bytes: [UInt8], file: String) throws(YAMLFailure) -> YAMLValue {
        let text = try checkedText(bytes, file: file)
        // The parser must outlive the walk: its nodes hold their anchors weakly.
        let parser: Parser
        let root: Node?
        do {
            parser = try Parser(yaml: text, encoding: .utf8)
            root = try parser.singleRoot()
        } catch let error as YamlError {
            throw failure(for: error, in: text, file: file)
        } catch {
            throw YAMLFailure(file: file, line: 0, reason: "cannot be read as YAML")
        }
        defer { withExtendedLifetime(parser) {} }
        guard let root else {
            return YAMLValue(content: .mapping([]), line: 1, file: file)
        }
        let value = try convert(root, file: file)
        if case .scalar("", plain: true) = value.content {
            return YAMLValue(content: .mapping([]), line: 1, file: file)
        }
        return value
    }

    private static func checkedText(
        _ bytes: [UInt8], file: String
    ) throws(YAMLFailure) -> String {
        guard bytes.count <= maximumBytes else {
            throw YAMLFailure(
                file: file, line: 0, reason: "larger than the limit of \(maximumBytes) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw YAMLFailure(file: file, line: 0, reason: "not valid UTF-8")
        }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard line.count <= maximumLineBytes else {
                throw YAMLFailure(
                    file: file, line: index + 1,
                    reason: "line longer than \(maximumLineBytes) bytes")
            }
            let printable = line.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 || $0 == 0x0D }
            guard printable else {
                throw YAMLFailure(file: file, line: index + 1, reason: "control character")
            }
        }
        guard bytes.count(where: { $0 == 0x5B || $0 == 0x7B }) <= maximumFlowBrackets else {
            throw YAMLFailure(file: file, line: 0, reason: "too many brackets")
        }
        return text
    }

    private static func convert(_ node: Node, file: String) throws(YAMLFailure) -> YAMLValue {
        let line = node.mark?.line ?? 0
        // An alias can only come after its anchor: refusing the anchor ends every expansion.
        guard node.anchor == nil else {
            throw YAMLFailure(file: file, line: line, reason: "anchors and aliases are not read")
        }
        switch node {
        case .scalar(let scalar):
            try refuse(tag: scalar.tag, file: file, line: line)
            return YAMLValue(
                content: .scalar(scalar.string, plain: scalar.style == .plain), line: line,
                file: file)
        case .sequence(let sequence):
            try refuse(tag: sequence.tag, file: file, line: line)
            var items: [YAMLValue] = []
            for item in sequence { items.append(try convert(item, file: file)) }
            return YAMLValue(content: .list(items), line: line, file: file)
        case .mapping(let mapping):
            try refuse(tag: mapping.tag, file: file, line: line)
            var entries: [YAMLEntry] = []
            for (key, item) in mapping {
                let keyLine = key.mark?.line ?? line
                guard case .scalar(let keyScalar) = key, keyScalar.string != "<<",
                    key.anchor == nil
                else { throw YAMLFailure(file: file, line: keyLine, reason: "key is not text") }
                entries.append(
                    YAMLEntry(
                        key: keyScalar.string, line: keyLine, value: try convert(item, file: file)))
            }
            return YAMLValue(content: .mapping(entries), line: line, file: file)
        case .alias:
            throw YAMLFailure(file: file, line: line, reason: "anchors and aliases are not read")
        }
    }

    private static func refuse(tag: Tag, file: String, line: Int) throws(YAMLFailure) {
        // Yams gives quoted scalars the tag of text.
        let implicit: [Tag.Name] = [.implicit, .nonSpecific, .str]
        guard implicit.contains(where: { $0.rawValue == tag.description }) else {
            throw YAMLFailure(file: file, line: line, reason: "tags are not read")
        }
    }

    private static func failure(
        for error: YamlError, in text: String, file: String
    ) -> YAMLFailure {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return YAMLFailure(file: file, line: mark.line, reason: problem)
        case .duplicatedKeysInMapping(let keys, let context):
            let key = keys.min() ?? ""
            let start = context.mark.line
            return YAMLFailure(
                file: file, line: lineOfRepeated(key, in: text, from: start) ?? start,
                reason: "duplicate key '\(key.prefix(64))'")
        case .no, .memory, .reader, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return YAMLFailure(file: file, line: 0, reason: "cannot be read as YAML")
        }
    }

    /// The parser names the mapping's first line only: finds the second line with the key at one
    /// indentation.
    private static func lineOfRepeated(_ key: String, in text: String, from start: Int) -> Int? {
        var seen: Set<Int> = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where index + 1 >= start {
            let rest = line.drop { $0 == " " }
            let isKey = ["\(key):", "'\(key)':", "\"\(key)\":"].contains { rest.hasPrefix($0) }
            guard isKey else { continue }
            guard seen.insert(line.count - rest.count).inserted else { return index + 1 }
        }
        return nil
    }
}
