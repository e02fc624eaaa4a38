// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import Glibc
import Testing

/// A fresh root with an override, removed with the value.
final class TemporaryRoot {
    let path: String

    init(override text: String? = nil, mode: mode_t = 0o644) throws {
        var template = Array("/tmp/aico-config-XXXXXX".utf8CString)
        let isMade = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { mkdtemp($0) != nil } ?? false
        }
        try #require(isMade)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        for part in ["/etc", "/etc/aico"] { mkdir(path + part, 0o755) }
        guard let text else { return }
        let handle = open(file, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        try #require(handle >= 0)
        defer { close(handle) }
        let bytes = Array(text.utf8)
        try #require(write(handle, bytes, bytes.count) == bytes.count)
        try #require(fchmod(handle, mode) == 0)
    }

    var file: String { path + "/etc/aico/core.yaml" }

    deinit {
        unlink(file)
        for part in ["/etc/aico", "/etc", ""] { rmdir(path + part) }
    }
}

/// Checks an override's text as the file `core.yaml`.
func check(_ text: String, root: String = "/r") throws -> Configuration {
    try Configuration.check(Array(text.utf8), file: "core.yaml", root: root)
}

/// The message with which an override is refused; nil where it is accepted.
func refusal(of text: String) -> String? {
    do {
        _ = try Configuration.check(Array(text.utf8), file: "core.yaml", root: "/r")
        return nil
    } catch {
        return "\(error)"
    }
}
