// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem

/// Why a client key file is not admitted, and what to write instead; never holds key bytes.
package struct KeyProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file, or the directory that cannot be read.
    package var path: String
    /// The line, from 1; 0 where it is the file as a whole.
    package var line: Int
    /// What is wrong, as `has no role line`.
    package var reason: String
    /// What to do instead, as `write "role viewer"`.
    package var advice: String

    package init(path: String, line: Int = 0, reason: String, advice: String) {
        self.path = path
        self.line = line
        self.reason = reason
        self.advice = advice
    }

    /// The problem as a sentence, with its consequence.
    package var description: String {
        let place = line > 0 ? " line \(line)" : ""
        return "client key file \"\(Self.oneLine(path))\"\(place) is not admitted: "
            + "\(Self.oneLine(reason)); \(Self.oneLine(advice)), and start the system anew: keys "
            + "are read then"
    }

    /// Says what of a file's owner, mode or type is not right.
    init(_ error: KeyError, path: String) {
        self.path = path
        line = 0
        switch error {
        case .file(let operation, _, let code):
            reason = "cannot \(operation) it: \(code)"
            advice =
                code.isLink
                ? "put the file itself there, not a symbolic link"
                : "give it to the scheduler's user with mode 0440, as bus.key has it"
        case .unsafeFile(_, let why), .malformedFile(_, let why):
            reason = why
            advice = "write it anew, owned as bus.key is and with mode 0440"
        case .malformedSeal, .unknownVersion, .notAuthentic, .masterKeyMissing, .masterKeyWrong:
            reason = "\(error)"
            advice = "write it anew"
        }
    }

    /// A file's name and a line's text may hold anything.
    private static func oneLine(_ text: String) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: clean.append("?")
            default: clean.append(scalar)
            }
        }
        return String(clean)
    }
}
