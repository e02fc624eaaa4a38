// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc

/// The lock that a supervisor holds while it lives.
enum SupervisorLock {
    /// The process that holds it under a root; nil where none does, or none can be seen.
    ///
    /// Only read: taking the lock, if only to try, could keep a supervisor from starting.
    static func holder(root: String) -> Int32? {
        var status = stat()
        guard stat(InstanceDirectory.runtime.path(under: root), &status) == 0,
            let locks = fopen("/proc/locks", "re")
        else { return nil }
        defer { fclose(locks) }
        let device = (major: status.st_dev >> 8 & 0xFFF, minor: status.st_dev & 0xFF)
        let place = ":\(status.st_ino)"
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), locks) != nil {
            let words = line.withUnsafeBufferPointer { buffer in
                String(
                    decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            }.split(separator: " ")
            // "1: FLOCK  ADVISORY  WRITE 812 fe:01:1234 0 EOF"
            guard words.count > 5, words[1] == "FLOCK", words[5].hasSuffix(place) else { continue }
            let numbers = words[5].split(separator: ":").prefix(2).map { UInt($0, radix: 16) }
            guard numbers == [UInt(device.major), UInt(device.minor)] else { continue }
            return Int32(words[4])
        }
        return nil
    }
}
