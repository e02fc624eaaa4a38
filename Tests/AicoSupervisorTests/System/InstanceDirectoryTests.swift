// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Foundation
import LinuxSandbox
import Testing

@testable import AicoSupervisor
@testable import SandboxProfiles

/// A row of the table of directories reaches all that is derived from it.
@Suite struct InstanceDirectoryTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let paths = InstancePaths(
        root: "/r", executables: "/r/run/aico/bin", profiles: "/r/run/aico/sandbox-profiles")

    @Test func everyNameAndPathIsOneRows() {
        let all = InstanceDirectory.all
        #expect(Set(all.map(\.name)).count == all.count)
        #expect(Set(all.map(\.path)).count == all.count)
    }

    private static let all = InstanceDirectory.all + WorkerID.shipped.map { .pipes(of: $0) }

    @Test func theLayoutMakesEachOnceWithTheNumbersOfItsHolders() throws {
        let words = (UInt32(1)...12).map { 61000 + $0 }
        let identities = try #require(
            Identities(
                decoding: words.flatMap { word in
                    (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
                }))
        let entries = Layout.runtime + Layout.entries(identities)
        for row in Self.all {
            #expect(
                entries.filter { $0.path == row.path } == [
                    Layout.Entry(
                        path: row.path, user: identities[row.owner].user,
                        group: identities[row.group].group, mode: row.mode)
                ], "\(row.path)")
        }
        #expect(entries.count == Self.all.count)
    }

    @Test func eachIsMadeAfterWhatItLiesIn() {
        var made = Set(Layout.parents)
        for row in Self.all {
            let parts = row.path.split(separator: "/")
            #expect(made.contains(parts.dropLast().joined(separator: "/")), "\(row.path)")
            made.insert(row.path)
        }
        #expect(Layout.parents == ["etc", "var", "var/lib", "var/log", "run"])
    }

    /// What the compiler makes of a grant is judged by root's own code.
    @Test(arguments: TaskClass.allCases) func rootPermitsWhatIsTheClassesAndNoMore(
        taskClass: TaskClass
    ) throws {
        let number = 61001 + UInt32(taskClass.rawValue)
        let identities = ClassIdentities([taskClass: .init(userID: number, groupID: number)])
        let ceiling = PlanMountTests.ceiling(taskClass)
        var profile = try ProfileCompiler.read(
            class: taskClass,
            profilesDirectory: Self.repository.appending(path: "sandbox-profiles").path)
        var plan = try ProfileCompiler.plan(
            of: profile, paths: Self.paths, identities: identities)
        for row in InstanceDirectory.all {
            let grants: [(LandlockRule.Access, Set<TaskClass>)] = [
                (.read, row.readers), ([.read, .write], row.writers),
            ]
            for (access, classes) in grants {
                // As of a compiler that was taken over, where the class may not have it.
                profile.directories = [DirectoryGrant(directory: row, access: access)]
                let root = try ClassRoot(profile, paths: Self.paths, zone: nil)
                plan.mounts = root.mounts
                plan.landlockRules = root.rules
                let source = Self.paths.host(row)
                #expect(plan.mounts.contains { $0.source == source && $0.target == row.classPath })
                let excess = ceiling.excess(of: plan)
                if classes.contains(taskClass) {
                    #expect(excess == nil, "\(row.path)")
                } else if row == .executables, !access.contains(.write) {
                    // The worker's program is there; its tasks may not read it.
                    #expect(excess == "it opens '/aico/bin' by Landlock")
                } else {
                    #expect(excess == "it shows '\(source)' at '\(row.classPath)'")
                }
            }
        }
    }

    @Test(arguments: TaskClass.allCases) func aProfileNamesWhatIsTheClassesAndNoMore(
        taskClass: TaskClass
    ) throws {
        for row in InstanceDirectory.all {
            for (access, classes) in [("read", row.readers), ("write", row.writers)] {
                let granted = try? granted(to: taskClass, "\(row.name): \(access)")
                #expect((granted == [row]) == classes.contains(taskClass), "\(row.name)")
            }
        }
    }

    /// What a profile with one line below `directories` is granted.
    private func granted(to taskClass: TaskClass, _ line: String) throws -> [InstanceDirectory] {
        let scratch = try ScratchDirectory()
        let text = """
            class: \(taskClass.name)
            limits: {memory_mb: 64, processes: 4, cpu_percent: 100, wall_seconds: 60,
              open_files: 64, file_size_mb: 16}
            class_limits: {memory_mb: 256, processes: 16, cpu_percent: 100}
            concurrency: 2
            tmp_mb: 8
            directories: {\(line)}
            """
        try text.write(
            toFile: "\(scratch.path)/\(taskClass.name).yaml", atomically: false, encoding: .utf8)
        return try ProfileCompiler.read(class: taskClass, profilesDirectory: scratch.path)
            .directories.map(\.directory)
    }

    @Test(arguments: all) func noPathOfTheHostLeadsIntoIt(
        row: InstanceDirectory
    ) {
        let path = row.path(under: "/r")
        for path in [path, "\(path)/below"] {
            #expect(Self.paths.overlaps(path))
            var plan = CheckedPlanTests.plan(of: .user)
            plan.mounts = [PlanMount(kind: .bindWritable, source: path, target: "/x")]
            let isGranted = row.writers.contains(.user) && path == row.path(under: "/r")
            #expect((PlanMountTests.ceiling(.user).excess(of: plan) == nil) == isGranted)
        }
    }

    @Test func thePageShowsTheTable() throws {
        let shown = try Self.rows(
            of: "privilege-separation.md",
            below: "| directory | owner, group | mode | name | read by | written by |")
        var rows: [[String]] = []
        for row in Self.all.map(Self.cells) where !rows.contains(row) {
            rows.append(row)
        }
        for row in rows {
            #expect(shown.contains { $0.prefix(6) == row[...] }, "\(row)")
        }
        #expect(shown.count == rows.count)
        for row in shown { #expect(row.count == 7 && row.last != "", "\(row): who needs it?") }
    }

    @Test func thePageOfProfilesShowsWhatTheyCanName() throws {
        let shown = try Self.rows(of: "profiles.md", below: "| name | holds | read | write |")
        let known = InstanceDirectory.all.filter { !$0.readers.isEmpty }
        for row in known {
            let cells = ["`\(row.name)`", Self.names(row.readers), Self.names(row.writers)]
            #expect(shown.contains { [$0[0], $0[2], $0[3]] == cells }, "\(cells)")
        }
        #expect(shown.count == known.count)
    }

    /// The cells of a page's table.
    private static func rows(of page: String, below heading: String) throws -> [[String]] {
        let text = try String(
            contentsOf: repository.appending(path: "docs/\(page)"), encoding: .utf8)
        return text.split(separator: "\n").drop { !$0.hasPrefix(heading) }.dropFirst(2)
            .prefix { $0.hasPrefix("|") }
            .map { line in
                line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                    .map { $0.trimmingCharacters(in: .whitespaces) }
            }
    }

    private static func names(_ classes: Set<TaskClass>) -> String {
        TaskClass.allCases.filter(classes.contains).map(\.name).joined(separator: ", ")
    }

    /// The cells of a row of the page, but for the last; a row of each class is one there.
    private static func cells(of row: InstanceDirectory) -> [String] {
        let end = row.path.split(separator: "/").last ?? ""
        let worker = WorkerID.shipped.first { .pipes(of: $0) == row }
        let own = TaskClass(name: end) ?? worker?.taskClass
        func word(_ holder: InstanceDirectory.Holder) -> String {
            switch holder {
            case .root: "root"
            case .scheduler: "aico"
            case .taskClass(let taskClass): taskClass == own ? "the class" : taskClass.name
            }
        }
        let name = worker == nil ? "class" : "number"
        let path = own == nil ? row.path : "\(row.path.dropLast(end.count))<\(name)>"
        let holders = row.owner == row.group ? [row.owner] : [row.owner, row.group]
        let mode = String(row.mode, radix: 8)
        return [
            "`\(path)`", holders.map(word).joined(separator: ", "),
            String(repeating: "0", count: 4 - mode.count) + mode,
            row.readers.isEmpty ? "" : "`\(row.name)`", names(row.readers), names(row.writers),
        ]
    }
}
