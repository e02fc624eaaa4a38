// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import StrictYAML

/// Reads the override from disk.
enum ConfigurationFile {
    /// Reads a file that only its owner may change; nil where there is none.
    static func read(_ path: String) throws(YAMLFailure) -> [UInt8]? {
        func refusal(_ reason: String) -> YAMLFailure {
            YAMLFailure(file: path, line: 0, reason: reason)
        }
        let handle = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard handle >= 0 else {
            let code = errno
            if code == ENOENT { return nil }
            throw refusal(code == ELOOP ? "is a symbolic link" : "cannot open: \(text(code))")
        }
        defer { close(handle) }
        var status = stat()
        guard fstat(handle, &status) == 0 else { throw refusal("cannot stat: \(text(errno))") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw refusal("is not a regular file") }
        guard status.st_mode & 0o022 == 0 else {
            let mode = String(status.st_mode & 0o7777, radix: 8)
            throw refusal("may be written by group or others (mode 0\(mode)); chmod go-w it")
        }
        // One byte more than the limit shows that there is more, without reading it all.
        var bytes = [UInt8](repeating: 0, count: StrictYAML.maximumBytes + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(handle, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            }
            let code = errno
            if got < 0, code == EINTR { continue }
            guard got >= 0 else { throw refusal("cannot read: \(text(code))") }
            if got == 0 { break }
            count += got
        }
        return Array(bytes.prefix(count))
    }

    private static func text(_ code: CInt) -> String { String(cString: strerror(code)) }
}
