// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import FileIntegrity
import LinuxSystem
import Glibc
import TaskKit

/// What `security.integrity_check` compares.
struct IntegrityCheckConfig: TaskConfig {
    var baseline: String
    var programs: String
    var directories: [String]
    var ignored: [String]

    init(from config: inout ConfigReader) throws(ConfigError) {
        baseline = try config.string(
            "baseline", default: "/aico/integrity/baseline.json",
            "what the scheduler recorded at its start")
        programs = try config.string(
            "programs", default: "/aico/bin",
            "where an executable of ours that was not recorded is a difference")
        directories = try config.stringList(
            "directories", default: ["/aico/profiles", "/aico/keys"],
            "where a file that was not recorded is a difference")
        ignored = try config.stringList(
            "ignore", default: [], "files and directories that are not looked at")
    }

    func validate() throws(ConfigError) {
        guard !directories.isEmpty else {
            throw ConfigError(field: "directories", reason: "must name at least one")
        }
        let named = [
            ("baseline", [baseline]), ("programs", [programs]), ("directories", directories),
            ("ignore", ignored),
        ]
        for (field, paths) in named where paths.contains(where: { SafePath.parts($0) == nil }) {
            throw ConfigError(
                field: field, reason: "must be absolute without \".\", \"..\" and \"/\" at its end")
        }
    }
}

/// What a run of `security.integrity_check` that found no difference looked at.
struct IntegrityReport: TaskResult, Equatable {
    var status = "unchanged"
    var files: Int
    var bytes: Int64
}

/// Compares executables, profiles and key files with what was recorded at the scheduler's start.
struct IntegrityCheck: ScheduledTask {
    static let id = "security.integrity_check"
    static let summary = "finds changed, missing and new executables, profiles and key files"
    static let capabilities: [TaskCapability] = [.readAnything]
    static let timeout: Duration = .seconds(600)
    /// Differences that get a log line of their own.
    static let maximumLines = 200

    func run(
        _ config: IntegrityCheckConfig, _ context: TaskContext
    ) async throws -> IntegrityReport {
        var comparison = Comparison(
            baseline: try baseline(config, context), programs: config.programs,
            directories: config.directories, ignored: config.ignored, context: context)
        try comparison.run()
        let differences = comparison.differences
        for difference in differences.prefix(Self.maximumLines) {
            context.log(.error, difference.text)
        }
        guard differences.isEmpty else { throw TaskFailure.permanent(differences.summary) }
        context.log("\(comparison.files) files are as recorded")
        return IntegrityReport(files: comparison.files, bytes: comparison.bytes)
    }

    private func baseline(
        _ config: IntegrityCheckConfig, _ context: TaskContext
    ) throws -> Baseline {
        do {
            let file = try TrustedFile(config.baseline)
            guard file.isRegular else { throw BaselineError(reason: "it is no regular file") }
            // Whoever could write it could make any change look recorded.
            guard !file.status.isWritableByOthers else {
                throw BaselineError(reason: "others than its owner may write it")
            }
            guard file.status.user != getuid() || getuid() == 0 else {
                throw BaselineError(reason: "the tasks it is to check could write it")
            }
            let bytes = try file.bytes(
                limit: Baseline.maximumBytes, context.checkCancellation)
            return try Baseline(bytes, directories: config.directories + [config.programs])
        } catch let error as BaselineError {
            throw TaskFailure.permanent("\(config.baseline): \(error.description)")
        } catch let error as SystemError {
            throw TaskFailure.transient(
                "cannot read \"\(config.baseline)\": \(error.reason)")
        }
    }
}
