// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What is wrong with the command that a task is to run.
extension ErrorMessages {
    static let unnamedProgram = Failure(
        .usage, "cannot run a program without a name: the command's first word is empty",
        hint: "write its path after the dashes, as in -- /usr/bin/true")

    static func quotedCommand(_ text: String) -> Failure {
        Failure(
            .usage,
            "cannot run \"\(text)\": in one pair of quotes it is the name of a program, "
                + "and there is none of that name",
            hint: "leave the quotes out, or have a shell read it: "
                + "-- /bin/sh -c \(ShellWord.quoted(text))")
    }

    static func zeroByte(in place: String) -> Failure {
        Failure(
            .usage, "cannot use \(place): it has a zero byte in it, which ends a text",
            hint: "leave the \\u0000 out")
    }

    /// Shows no value: it may be a secret.
    static let unnamedVariable = Failure(
        .usage, "cannot read --env: it has no name before a \"=\"",
        hint: "write --env NAME=VALUE")

    static func badVariable(_ name: String) -> Failure {
        let mended = name.unicodeScalars.map { scalar in
            VariableName.takes(scalar) ? String(scalar) : "_"
        }.joined()
        let valid = VariableName.isValid(mended) ? mended : "_" + mended
        let better =
            valid.hasPrefix(VariableName.reservedPrefix)
            ? "MY_" + valid.dropFirst(VariableName.reservedPrefix.count) : valid
        return Failure(
            .usage,
            "cannot set the variable \"\(name)\": a name has letters, digits and _, and begins "
                + "with no digit",
            hint: "write --env \(better)=VALUE")
    }

    static func reservedVariable(_ name: String) -> Failure {
        Failure(
            .usage,
            "cannot set the variable \"\(name)\": the scheduler sets what begins with "
                + VariableName.reservedPrefix,
            hint: "write --env MY_\(name.dropFirst(VariableName.reservedPrefix.count))=VALUE")
    }
}

/// What `aico` says without a verb.
extension ErrorMessages {
    /// The verbs that are used most, as they can be typed after each other.
    static let mostUsed: [(command: String, does: String)] = [
        ("aico scheduler create user.hello @hourly -- /bin/echo hello", "make a task"),
        ("aico scheduler run user.hello --follow", "run it now"),
        ("aico scheduler list", "what is due when"),
        ("aico scheduler history", "what ran, and how"),
        ("aico scheduler logs user.hello", "what it said"),
    ]

    /// Where the others are.
    static let otherVerbs: [(command: String, does: String)] = [
        ("aico scheduler --help", "all verbs on tasks"),
        ("aico scheduler create --help", "options of one"),
        ("aico schedule --help", "try a schedule"),
        ("aico supervisor --help", "the system itself"),
    ]
}
