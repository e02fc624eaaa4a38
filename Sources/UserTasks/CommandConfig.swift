// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
package import TaskKit

/// What `user.command` runs, and with what around it.
package struct CommandConfig: TaskConfig {
    /// The most words of an argv.
    static let maximumArguments = 1024
    /// What the variables that say whose run it is begin with.
    static let reservedPrefix = "AICO_"

    /// The program and its arguments.
    package let argv: [String]
    /// Variables beside the default ones, which they replace.
    package let environment: [String: String]
    /// Where the program starts.
    package let workingDirectory: String
    /// What the program reads from standard input; nothing where it is left out.
    package let input: [UInt8]?
    /// Whether standard error is the same stream as standard output.
    package let mergesOutput: Bool

    /// Reads the fields; their rules keep out what execve(2) could not be told.
    package init(from config: inout ConfigReader) throws(ConfigError) {
        argv = try config.stringList(
            "argv", rules: Self.argvRules, "The program and its arguments")
        environment = try config.stringMap(
            "environment", default: [:], rules: Self.environmentRules,
            "Variables beside PATH, HOME, LANG, USER, LOGNAME and AICO_*")
        workingDirectory = try config.string(
            "working_directory", default: "/aico/work", rules: Self.pathRules,
            "Where the program starts")
        let text = try config.optionalString("stdin", "What the program reads from standard input")
        let encoded = try config.optionalString(
            "stdin_base64", rules: Self.encodedRules, excludes: ["stdin"],
            "The same in base64, for bytes that are no text")
        input = encoded.flatMap { Base64.decode($0) } ?? text.map { Array($0.utf8) }
        mergesOutput = try config.boolean(
            "merge_output", default: false,
            "Whether standard error goes the way of standard output, in the order of writing")
    }

    private static var argvRules: FieldRules {
        var rules = FieldRules()
        rules.minimumCount = 1
        rules.maximumCount = maximumArguments
        rules.isFirstNonempty = true
        rules.isWithoutZero = true
        return rules
    }

    private static var environmentRules: FieldRules {
        var rules = FieldRules()
        rules.hasVariableNames = true
        rules.reservedPrefix = reservedPrefix
        rules.isWithoutZero = true
        return rules
    }

    private static var pathRules: FieldRules {
        var rules = FieldRules()
        rules.isAbsolutePath = true
        rules.isWithoutZero = true
        return rules
    }

    private static var encodedRules: FieldRules {
        var rules = FieldRules()
        rules.isBase64 = true
        return rules
    }
}
