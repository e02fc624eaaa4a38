// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Commands of a page as a test runs them: in one shell, that ends at the first that fails.
struct PageScript {
    /// Commands that no test can run as they stand, and why.
    static let left = [
        "swift build --package-path examples/folder-size -c release --static-swift-stdlib":
            "compiles all dependencies, for minutes: Example links it with what is built"
    ]

    let lines: [String]

    /// `places` says what stands for the paths and names that a reader would use.
    init(_ commands: [String], places: [(String, String)]) {
        lines = commands.compactMap { command in
            guard Self.left[command] == nil else { return nil }
            let command = Self.put(places, into: command)
            // What builds, tests, installs or stays: the suite's own system stands for it.
            guard command.hasPrefix("make ") else { return command }
            let words = command.hasSuffix(" &") ? String(command.dropLast(2)) : command
            return "make --dry-run \(words.dropFirst(5)) >/dev/null"
        }
    }

    /// In one pass: what was put in is no place again.
    private static func put(_ places: [(String, String)], into command: String) -> String {
        var rest = command[...]
        var result = ""
        while let first = rest.first {
            if let (place, value) = places.first(where: { rest.hasPrefix($0.0) }) {
                result += value
                rest = rest.dropFirst(place.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    /// Runs them in the project's directory; all that they said, and the exit code.
    func run(bin: String, root: String) throws -> (output: String, status: Int32) {
        let script = "cd '\(projectDirectory)'\n" + lines.joined(separator: "\n") + "\n"
        let shell = try HostProcess(
            ["/bin/sh", "-euxc", script],
            environment: [
                "AICO_ROOT=\(root)", "PATH=\(bin):/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp",
            ])
        let output = shell.remainingOutput(within: Built.patience(seconds: 120))
        let raw = shell.waitForEnd(within: Built.patience(seconds: 10)) ?? 9
        return (output, raw & 0x7F == 0 ? (raw >> 8) & 0xFF : -1)
    }
}
