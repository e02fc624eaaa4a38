// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// The names of environment variables that a task may set.
enum VariableName {
    /// What the scheduler sets by itself.
    static let reservedPrefix = "AICO_"

    static func takes(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "A"..."Z", "a"..."z", "0"..."9", "_": true
        default: false
        }
    }

    /// As POSIX has it (Base Definitions, 3.216), which every shell can read.
    static func isValid(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, !("0"..."9").contains(first) else {
            return false
        }
        return name.unicodeScalars.allSatisfy(takes)
    }
}

/// Refuses what no program can be started with, before anything is sent.
struct CommandCheck {
    /// Whether a path names a file of this machine.
    let isFile: (String) -> Bool

    /// Checks the members of a command's config, wherever they were written.
    func check(_ config: [String: JSONValue]) throws(Failure) {
        if let words = config["argv"]?.array { try check(words.map { $0.string ?? "" }) }
        for (name, value) in (config["environment"]?.object ?? [:]).sorted(by: { $0.key < $1.key })
        {
            try check(variable: name)
            if value.string?.utf8.contains(0) == true {
                throw ErrorMessages.zeroByte(in: "the value of \"\(name)\"")
            }
        }
        if config["working_directory"]?.string?.utf8.contains(0) == true {
            throw ErrorMessages.zeroByte(in: "the working directory")
        }
    }

    private func check(_ words: [String]) throws(Failure) {
        guard let program = words.first, program.contains(where: { !$0.isWhitespace }) else {
            throw ErrorMessages.unnamedProgram
        }
        for (index, word) in words.enumerated() where word.utf8.contains(0) {
            throw ErrorMessages.zeroByte(in: "word \(index + 1) of the command")
        }
        // A path may have spaces in it; a whole command in one word is the likelier meaning.
        if words.count == 1, program.contains(where: \.isWhitespace), !isFile(program) {
            throw ErrorMessages.quotedCommand(program)
        }
    }

    private func check(variable name: String) throws(Failure) {
        guard !name.isEmpty else { throw ErrorMessages.unnamedVariable }
        guard VariableName.isValid(name) else { throw ErrorMessages.badVariable(name) }
        guard !name.hasPrefix(VariableName.reservedPrefix) else {
            throw ErrorMessages.reservedVariable(name)
        }
    }
}
