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
        name: .customLong("env"),
        help: ArgumentHelp("A variable for the command; may be repeated.", valueName: "name=value"))
    var environment: [String] = []

    @Option(
        name: .customLong("directory"),
        help: ArgumentHelp("The command's working directory.", valueName: "dir"))
    var directory: String?

    @Option(
        name: .customLong("input"),
        help: ArgumentHelp("Text for the command's standard input, or @FILE.", valueName: "text"))
    var input: String?

    @Flag(
        name: .customLong("merge-output"),
        help: "Let the command's standard error go the way of its standard output, in order.")
    var mergesOutput = false

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("After \"--\": the command to run.", valueName: "command"))
    var command: [String] = []

    /// Whether something belongs to a command.
    var isCommand: Bool {
        !command.isEmpty || !environment.isEmpty || directory != nil || input != nil
            || mergesOutput
    }

    /// The config's members that were given.
    func members() throws(Failure) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        if let config { result = try Self.object(config) }
        if !command.isEmpty { result["argv"] = .array(command.map { .string($0) }) }
        if let directory { result["working_directory"] = .string(directory) }
        if let input { result["stdin"] = .string(try Self.text(input)) }
        if mergesOutput { result["merge_output"] = true }
        if !environment.isEmpty {
            var variables: [String: JSONValue] = [:]
            for text in environment {
                guard let sign = text.firstIndex(of: "="), sign != text.startIndex else {
                    throw Wording.badEnvironment(text)
                }
                variables[String(text[..<sign])] = .string(String(text[text.index(after: sign)...]))
            }
            result["environment"] = .object(variables)
        }
        return result
    }

    private static func object(_ argument: String) throws(Failure) -> [String: JSONValue] {
        let json: JSONValue
        do {
            json = try JSONValue.parse(try text(argument))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Wording.badConfig("\(error)")
        }
        guard let members = json.object else { throw Wording.badConfig("it is no JSON object") }
        return members
    }

    /// The text itself, or the content of the file after an `@`.
    private static func text(_ argument: String) throws(Failure) -> String {
        guard argument.hasPrefix("@") else { return argument }
        let path = String(argument.dropFirst())
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Wording.unreadableFile(path, String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        let limit = BusLimits.maximumRequestBytes
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
        defer { buffer.deallocate() }
        while bytes.count <= limit {
            let count = try StandardStream.read(descriptor, into: buffer).get()
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: buffer[..<count])
        }
        throw Wording.unreadableFile(path, "it is longer than \(limit) bytes")
    }
}
