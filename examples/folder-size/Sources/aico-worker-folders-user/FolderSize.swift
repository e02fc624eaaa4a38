// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import TaskKit

/// A task type: says how much a folder holds, and fails where that is more than it may.
struct FolderSize: ScheduledTask {
    /// What a task of the type is configured with: `init` is the one list of its fields.
    struct Config: TaskConfig {
        let folder: String
        let maximumMegabytes: Int

        init(from config: inout ConfigReader) throws(ConfigError) {
            folder = try config.string(
                "folder", default: "/aico/work", "The folder, as the class's tasks see it")
            maximumMegabytes = try config.integer(
                "maximum_mb", default: 1024, in: 1...1_000_000, "Fails above so many MiB")
        }
    }

    /// What is stored with an execution that succeeded.
    struct Output: TaskResult {
        let files: Int
        let bytes: Int
    }

    static let id = "user.folder_size"
    static let summary = "Measures a folder and fails where it is too large"

    func run(_ config: Config, _ context: TaskContext) async throws -> Output {
        var walk = try FolderWalk(config.folder)
        var files = 0
        var bytes = 0
        while let size = walk.next() {
            // Out of time, or somebody typed `aico scheduler cancel`.
            try context.checkCancellation()
            files += 1
            // A file with holes is as long as somebody set it: a sum that overflows ends the task.
            bytes += min(size, .max - bytes)
            if files.isMultiple(of: 10_000) { context.progress(nil, "\(files) files") }
        }
        context.log("\(files) files, \(bytes >> 20) MiB")
        guard bytes >> 20 <= config.maximumMegabytes else {
            // Another attempt would find the same: no retry.
            throw TaskFailure.permanent(
                "'\(config.folder)' has \(bytes >> 20) MiB, more than \(config.maximumMegabytes)")
        }
        return Output(files: files, bytes: bytes)
    }
}
