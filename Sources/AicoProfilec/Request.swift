// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import Glibc
import LinuxSandbox
import SandboxProfiles

/// A command line that is none.
struct RequestError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What one run of the compiler is asked for.
enum Request {
    case identities(root: String)
    case filters
    case workers(root: String)
    case plan(TaskClass, root: String, profiles: String, executables: String)

    /// A plan takes paths of 1024 bytes: an instance's directories lie beneath a root.
    private static let longestValue = 900

    static let usage =
        "usage: aico-profilec --class NAME [--root DIR] --profiles DIR --bin DIR, "
        + "or aico-profilec --identities [--root DIR], or aico-profilec --workers [--root DIR], "
        + "or aico-profilec --filters"

    init(_ words: [String]) throws(RequestError) {
        var values: [String: String] = [:]
        var rest = words[...]
        while let word = rest.popFirst() {
            guard
                [
                    "--class", "--root", "--profiles", "--bin", "--identities", "--workers",
                    "--filters",
                ].contains(word), values[word] == nil
            else { throw RequestError("unexpected '\(word)'; \(Self.usage)") }
            if ["--identities", "--workers", "--filters"].contains(word) {
                values[word] = ""
                continue
            }
            guard let value = rest.popFirst() else {
                throw RequestError("'\(word)' needs a value; \(Self.usage)")
            }
            guard word == "--class" || value.hasPrefix("/") else {
                throw RequestError("'\(word)' must be an absolute path, not '\(value)'")
            }
            guard value.utf8.count <= Self.longestValue else {
                throw RequestError(
                    "'\(word)' has \(value.utf8.count) bytes, and what lies beneath it has to fit "
                        + "into a plan; give at most \(Self.longestValue), as '/opt/aico'")
            }
            values[word] = value
        }
        let root = values["--root"] ?? ""
        let alone: [(String, Request)] = [
            ("--identities", .identities(root: root)), ("--workers", .workers(root: root)),
            ("--filters", .filters),
        ]
        for (word, request) in alone where values[word] != nil {
            guard values.keys.allSatisfy({ [word, "--root"].contains($0) }) else {
                throw RequestError(Self.usage)
            }
            self = request
            return
        }
        guard let name = values["--class"], let profiles = values["--profiles"],
            let executables = values["--bin"]
        else { throw RequestError(Self.usage) }
        guard let taskClass = TaskClass(name: name) else {
            let names = TaskClass.allCases.map(\.name).joined(separator: ", ")
            throw RequestError("unknown class '\(name)'; there are \(names)")
        }
        self = .plan(taskClass, root: root, profiles: profiles, executables: executables)
    }

    /// Answers with the bytes for standard output.
    ///
    /// - Parameter tell: takes each note about the plan, for a person.
    func answer(tell: (String) -> Void) throws -> [UInt8] {
        switch self {
        case .identities(let root):
            return try Configuration.load(root: root).resolvedIdentities().encoded
        case .workers(let root): return try Configuration.load(root: root).encodedWorkers
        case .filters: return FilterCodec.encode(try SystemFilters.compile())
        case .plan(let taskClass, let root, let profiles, let executables):
            let configuration = try Configuration.load(root: root)
            let paths = InstancePaths(
                root: configuration.layout.root, executables: executables, profiles: profiles)
            let identities = ClassIdentities(try configuration.resolvedIdentities())
            let profile = try ProfileCompiler.read(
                class: taskClass, profilesDirectory: profiles, identities: identities)
            ProfileCompiler.notes(of: profile, landlockABI: Landlock.abi).forEach(tell)
            let plan = try ProfileCompiler.plan(
                of: profile, paths: paths, identities: identities)
            return PlanCodec.encode(plan)
        }
    }
}

extension ClassIdentities {
    init(_ users: UserIdentities) {
        self.init(
            Dictionary(
                uniqueKeysWithValues: TaskClass.allCases.map { taskClass in
                    let user = users[taskClass]
                    return (
                        taskClass,
                        Identity(userID: user.userID, groupID: user.groupID)
                    )
                }))
    }
}
