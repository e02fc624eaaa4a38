// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A dotted lower-case name of a task or a task type, whose first part gives the task class.
///
/// Two to six parts of `[a-z0-9_-]`, each starting with a letter or a digit, at most 128 bytes in
/// all. The first part is a task class, or `custom`, which runs in class user.
package struct TaskID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The longest accepted id, in bytes.
    package static let maximumLength = 128

    /// The id as written.
    package let text: String
    /// The class that the first part names.
    package let taskClass: TaskClass

    /// Checks `text`; throws a sentence that says what to type instead.
    package init(_ text: String) throws(TaskIDError) {
        let bytes = text.utf8
        guard !bytes.isEmpty, bytes.count <= Self.maximumLength else {
            throw TaskIDError(text: text, reason: "must have 1 to \(Self.maximumLength) bytes")
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (2...6).contains(parts.count) else {
            throw TaskIDError(
                text: text, reason: "must have two to six parts joined by dots, as in user.backup")
        }
        for part in parts {
            guard let first = part.utf8.first, Self.isAlphanumeric(first) else {
                throw TaskIDError(
                    text: text, reason: "each part must start with a lower-case letter or a digit")
            }
            guard part.utf8.allSatisfy({ Self.isAlphanumeric($0) || $0 == 0x5F || $0 == 0x2D })
            else {
                throw TaskIDError(
                    text: text, reason: "only a-z, 0-9, '_' and '-' are permitted between dots")
            }
        }
        guard let first = parts.first,
            let taskClass = first == "custom" ? .user : TaskClass(name: first)
        else {
            throw TaskIDError(
                text: text,
                reason: "must start with maintenance, security, agency, user or custom")
        }
        self.text = text
        self.taskClass = taskClass
    }

    /// The id as text.
    package var description: String { text }

    /// Orders ids by their bytes.
    package static func < (left: TaskID, right: TaskID) -> Bool { left.text < right.text }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}

/// Says why a text is not a task id.
package struct TaskIDError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The refused text.
    package let text: String
    /// The rule that it breaks, in words.
    package let reason: String

    /// The error as one sentence.
    package var description: String { "cannot use \"\(text)\" as an id: \(reason)" }
}
