// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import Testing

/// A directory of the test's own, removed with it.
final class ScratchDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/aico-supervisor-tests-XXXXXX".utf8CString)
        let isMade = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { mkdtemp($0) != nil } ?? false
        }
        try #require(isMade)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// What lies at a path below, a link itself.
    func status(_ name: String) throws -> stat {
        var status = stat()
        try #require(lstat("\(path)/\(name)", &status) == 0, "\(name)")
        return status
    }

    /// The first bytes of a file.
    func text(_ name: String) throws -> String {
        let file = open("\(path)/\(name)", O_RDONLY | O_NOFOLLOW)
        try #require(file >= 0)
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(file, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
