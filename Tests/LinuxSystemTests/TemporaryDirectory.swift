// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import Testing

/// Gives a directory of the test's own, and removes it with all in it.
func withTemporaryDirectory(_ body: (_ path: String) throws -> Void) throws {
    var template = Array("/tmp/linux-system-XXXXXX".utf8CString)
    let isMade = mkdtemp(&template) != nil
    try #require(isMade)
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}
