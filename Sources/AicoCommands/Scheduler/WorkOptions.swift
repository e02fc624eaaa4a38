// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser
import Glibc

/// What a task does: the config of its type, or a command with its surroundings.
struct WorkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The type's config, a JSON object, or @FILE with one.", valueName: "json"))
    var config: String?

    @Option(
        name: .customLong("env"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A variable for the command; may be repeated.", valueName: "name=value"))
    var environment: [String] = []

    @Option(
        name: .customLong("directory"),
        help: ArgumentHelp("The command's working directory.", valueName: "dir"))
    var directory: String?

    @Option(
        name: .customLong("input"), parsing: .unconditional,
        help: ArgumentHelp(
            "Text for the command's standard input, or @FILE with its bytes.", valueName: "text"))
    var input: String?

    @Flag(
        name: .customLong("merge-output"), inversion: .prefixedNo, exclusivity: .exclusive,
        help: "Let the command's standard error go the way of its standard output, in order.")
    var mergesOutput: Bool?

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("After \"--\": the command to run.", valueName: "command"))
    var command: [String] = []

    /// Whether something belongs to a command.
    var isCommand: Bool {
        !command.isEmpty || !environment.isEmpty || directory != nil || input != nil
            || mergesOutput != nil
    }

    /// The config's members that were given; those of a command are checked.
    ///
    /// - Parameters:
    ///   - ofCommand: whether the type is known to be a command.
    ///   - asChange: whether they are merged into a config that is there, where null takes a
    ///     member away.
    func members(ofCommand: Bool, asChange: Bool) throws(Failure) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        if let config { result = try Self.object(config) }
        if !command.isEmpty { result["argv"] = .array(command.map { .string($0) }) }
        if let directory { result["working_directory"] = .string(directory) }
        if let input { try Self.put(input, into: &result, asChange: asChange) }
        if let mergesOutput { result["merge_output"] = .bool(mergesOutput) }
        if !environment.isEmpty {
            var variables: [String: JSONValue] = [:]
            for text in environment {
                guard let sign = text.firstIndex(of: "="), sign != text.startIndex else {
                    throw ErrorMessages.unnamedVariable
                }
                variables[String(text[..<sign])] = .string(String(text[text.index(after: sign)...]))
            }
            result["environment"] = .object(variables)
        }
        if ofCommand || isCommand {
            try CommandCheck(isFile: { access($0, F_OK) == 0 }).check(result)
        }
        return result
    }

    /// Standard input goes as text where it is UTF-8, which people can read in `show`, else as
    /// base64; of the two members a config has one.
    private static func put(
        _ input: String, into members: inout [String: JSONValue], asChange: Bool
    ) throws(Failure) {
        for name in ["stdin", "stdin_base64"] where members[name].map({ !$0.isNull }) == true {
            throw ErrorMessages.conflicting("--input", "\"\(name)\" in --config")
        }
        let (name, value, other) =
            switch try InputFile.content(input) {
            case .text(let text): ("stdin", text, "stdin_base64")
            case .bytes(let bytes): ("stdin_base64", Base64.encode(bytes), "stdin")
            }
        // The config's other members are the scheduler's to count.
        let carried = JSONValue.string(value).serialized().count
        guard carried <= AttemptOrder.maximumConfigBytes else {
            throw ErrorMessages.longInput(
                InputFile.named(input, "--input"), value.utf8.count, carried: carried)
        }
        members[name] = .string(value)
        members[other] = asChange ? .null : nil
    }

    private static func object(_ argument: String) throws(Failure) -> [String: JSONValue] {
        let json: JSONValue
        do {
            json = try JSONValue.parse(try InputFile.text(argument))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw ErrorMessages.badConfig("\(error)")
        }
        guard let members = json.object else {
            throw ErrorMessages.badConfig("it is no JSON object")
        }
        return members
    }
}
