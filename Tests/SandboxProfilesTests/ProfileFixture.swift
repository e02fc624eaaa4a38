// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Foundation
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// The profiles in `sandbox-profiles/`, compiled as for an instance under `/r`.
enum Shipped {
    static let directory =
        "/"
        + #filePath.split(separator: "/").dropLast(3)
        .joined(separator: "/") + "/sandbox-profiles"

    static let identities = ClassIdentities(
        Dictionary(
            uniqueKeysWithValues: TaskClass.allCases.map { taskClass in
                let number = 61001 + UInt32(taskClass.rawValue)
                return (taskClass, .init(userID: number, groupID: number + 1000))
            }))

    static let paths = InstancePaths(
        root: "/r", executables: "/r/run/aico/bin",
        profiles: "/r/run/aico/sandbox-profiles")

    static func profile(_ taskClass: TaskClass) throws -> Profile {
        try ProfileCompiler.read(class: taskClass, profilesDirectory: directory)
    }

    /// Compiled once each: the files do not change while tests run, and a filter takes its time.
    private static let plans = Dictionary(
        uniqueKeysWithValues: TaskClass.allCases.map { taskClass in
            let plan = Result {
                try ProfileCompiler.plan(
                    of: profile(taskClass), paths: paths, identities: identities, landlockABI: 6,
                    zone: "Europe/Berlin")
            }
            return (taskClass, plan)
        })

    static func plan(_ taskClass: TaskClass) throws -> Plan {
        try #require(plans[taskClass]).get()
    }

    /// The names of all profile files, includes among them.
    static func files() throws -> [String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory)
        return names.filter { $0.hasSuffix(".yaml") }.sorted()
    }

    static func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
    }
}

/// A directory of profiles of the test's own, removed with it.
final class ProfileFixture: Sendable {
    let path: String

    /// The first six lines of a profile for class user; what follows stands in line 7 and on.
    static let base = """
        class: user
        limits: {memory_mb: 64, processes: 4, cpu_percent: 100, wall_seconds: 60,
          open_files: 64, file_size_mb: 16}
        class_limits: {memory_mb: 256, processes: 16, cpu_percent: 100}
        concurrency: 2
        tmp_mb: 8

        """

    static func base(of taskClass: TaskClass) -> String {
        base.replacing("class: user", with: "class: \(taskClass.name)", maxReplacements: 1)
    }

    init(_ files: [String: String]) throws {
        path = NSTemporaryDirectory() + "aico-profiles-\(UUID().uuidString)"
        let includes = "\(path)/include"
        for directory in [path, includes] {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755])
        }
        for (name, text) in files {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
            try setMode(name, 0o644)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func setMode(_ name: String, _ mode: Int) throws {
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: "\(path)/\(name)")
    }

    func compile(_ taskClass: TaskClass) throws(ProfileError) -> Plan {
        try ProfileCompiler.compile(
            class: taskClass, profilesDirectory: path, paths: Shipped.paths,
            identities: Shipped.identities)
    }

    /// The words of a refusal without the directory's path; nil where the profile compiles.
    func refusal(_ taskClass: TaskClass) -> String? {
        do throws(ProfileError) {
            _ = try compile(taskClass)
            return nil
        } catch {
            return "\(error)".replacing("\(path)/", with: "")
        }
    }
}
