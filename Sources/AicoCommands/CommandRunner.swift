// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import ArgumentParser

/// Runs command lines of `aico`.
package enum CommandRunner {
    /// Runs a command line without its program name, as bytes, and gives the exit code.
    ///
    /// What is no UTF-8 is refused: a task, and whoever lists it, would get other characters.
    package static func run(bytes: [[UInt8]]) -> Int32 {
        var words: [String] = []
        for (index, word) in bytes.enumerated() {
            guard let text = String(validating: word, as: UTF8.self) else {
                return report(ErrorMessages.notUTF8(word, number: index + 1)).rawValue
            }
            words.append(text)
        }
        return run(words)
    }

    /// Runs a command line without its program name and gives the exit code.
    package static func run(_ arguments: [String]) -> Int32 {
        var arguments = arguments
        let root = takeLeadingRoot(&arguments)
        return ConnectionOptions.$leadingRoot.withValue(root) { execute(arguments).rawValue }
    }

    private static func execute(_ arguments: [String]) -> ExitStatus {
        let console = Console.current
        do {
            var command = try AicoCommand.parseAsRoot(arguments)
            try command.run()
            return .done
        } catch let failure as Failure {
            return report(failure.naming(root: typedRoot(arguments)))
        } catch {
            let text = AicoCommand.fullMessage(
                for: error, columns: console.width().map { max(40, $0) })
            guard AicoCommand.exitCode(for: error) != .success else { return show(help: text) }
            let words = text.hasPrefix("Error: ") ? "aico: \(text.dropFirst(7))" : text
            // Its own guess looks at letters alone: "--tz" for "--cwd".
            console.say(PlainText(lines: words.replacing(/\. Did you mean '[^']*'\?/, with: "")))
            if let hint = ParserHint(arguments, message: text).text {
                console.say("hint: \(naming(root: arguments, hint))")
            }
            return AicoCommand.exitCode(for: error) == .validationFailure ? .usage : .failed
        }
    }

    private static func show(help text: String) -> ExitStatus {
        do throws(Failure) {
            try Console.current.line(PlainText(lines: text))
            return .done
        } catch {
            return report(error)
        }
    }

    private static func report(_ failure: Failure) -> ExitStatus {
        Console.current.talk(failure.text)
        return failure.status
    }

    /// A hint that means the root of the command line too.
    private static func naming(root arguments: [String], _ hint: String) -> String {
        Failure(.usage, "", hint: hint).naming(root: typedRoot(arguments)).hint
    }

    /// The root that the command line names, as it was written there.
    private static func typedRoot(_ arguments: [String]) -> String? {
        let words = arguments.prefix { $0 != "--" }
        for (index, word) in words.enumerated().reversed() {
            if word.hasPrefix("--root=") { return String(word.dropFirst(7)) }
            if word == "--root", index + 1 < words.count { return words[index + 1] }
        }
        return ConnectionOptions.leadingRoot
    }

    /// Takes `--root DIR` or `--root=DIR` from before the verb, where the parser knows no options.
    private static func takeLeadingRoot(_ arguments: inout [String]) -> String? {
        guard let first = arguments.first else { return nil }
        if first.hasPrefix("--root=") {
            arguments.removeFirst()
            return String(first.dropFirst(7))
        }
        guard first == "--root", arguments.count > 1 else { return nil }
        let root = arguments[1]
        arguments.removeFirst(2)
        return root
    }
}
