// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem
import StrictYAML
import SystemPackage

/// Reads the override from disk.
enum ConfigurationFile {
    /// Reads a file that only its owner may change; nil where there is none.
    static func read(_ path: String) throws(YAMLFailure) -> [UInt8]? {
        func refusal(_ reason: String) -> YAMLFailure {
            YAMLFailure(file: path, line: 0, reason: reason)
        }
        let status: FileStatus
        let bytes: [UInt8]
        do throws(SystemError) {
            let file = try File(reading: path)
            status = file.status
            // One byte more than the limit shows that there is more, without reading it all.
            bytes = try file.bytes(at: 0, count: StrictYAML.maximumBytes + 1)
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            if error.isLink { throw refusal("is a symbolic link") }
            guard error.errno != nil else { throw refusal("is not a regular file") }
            throw refusal("cannot \(error.operation): \(error.reason)")
        }
        guard !status.isWritableByOthers else {
            let mode = String(status.mode, radix: 8)
            throw refusal("may be written by group or others (mode 0\(mode)); chmod go-w it")
        }
        return bytes
    }
}
