// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// What the kernel knows of processes.
enum ProcessTable {
    /// Whether a process exists and is more than a zombie.
    static func isRunning(_ pid: Int32) -> Bool {
        guard pid > 0 else { return false }
        if kill(pid, 0) != 0 { return errno == EPERM }
        let descriptor = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno != ENOENT }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return false }
        // The state follows the name, which stands in parentheses and may hold any character.
        let text = bytes[..<count]
        guard let end = text.lastIndex(of: 0x29), end + 2 < text.endIndex else { return true }
        return text[end + 2] != UInt8(ascii: "Z") && text[end + 2] != UInt8(ascii: "X")
    }

    /// Waits a little between two looks at what gives no notice.
    static func pause(milliseconds: Int32) { poll(nil, 0, milliseconds) }
}
