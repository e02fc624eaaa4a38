// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import TaskKit

/// What `user.command` runs, and with what around it.
public struct CommandConfig: TaskConfig {
    /// The most words of an argv.
    static let maximumArguments = 1024

    /// The program and its arguments.
    public let argv: [String]
    /// Variables beside the default ones, which they replace.
    public let environment: [String: String]
    /// Where the program starts.
    public let workingDirectory: String
    /// What the program reads from standard input; nothing where it is left out.
    public let input: String?

    /// Reads the fields.
    public init(from config: inout ConfigReader) throws(ConfigError) {
        argv = try config.stringList("argv", "The program and its arguments")
        environment = try config.stringMap(
            "environment", default: [:], "Variables beside PATH, HOME, LANG and AICO_*")
        workingDirectory = try config.string(
            "working_directory", default: "/aico/work", "Where the program starts")
        input = try config.optionalString("stdin", "What the program reads from standard input")
    }

    /// Refuses what execve(2) could not be told.
    public func validate() throws(ConfigError) {
        guard let program = argv.first, !program.isEmpty else {
            throw ConfigError(field: "argv", reason: "must name a program")
        }
        guard argv.count <= Self.maximumArguments else {
            throw ConfigError(
                field: "argv", reason: "has \(argv.count) words, limit \(Self.maximumArguments)")
        }
        guard !argv.contains(where: { $0.utf8.contains(0) }) else {
            throw ConfigError(field: "argv", reason: "must not contain a zero byte")
        }
        guard workingDirectory.hasPrefix("/"), !workingDirectory.utf8.contains(0) else {
            throw ConfigError(
                field: "working_directory", reason: "must be an absolute path, as /aico/work")
        }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            guard !name.isEmpty, !name.utf8.contains(0x3D), !name.utf8.contains(0),
                !value.utf8.contains(0)
            else {
                throw ConfigError(
                    field: "environment",
                    reason: "names must be without '=', and no text may contain a zero byte")
            }
            guard !name.hasPrefix("AICO_") else {
                throw ConfigError(
                    field: "environment", reason: "\"\(name)\" is set by the task supervisor")
            }
        }
    }
}
