// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation

/// A short path under /tmp, as ipc endpoints may have 107 bytes; removed with its last holder.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = "/tmp/aico-zmq-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func endpoint(_ name: String) -> String { "ipc://\(path)/\(name)" }

    func write(_ text: String, to name: String, mode: Int) throws -> String {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}
