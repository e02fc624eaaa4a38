// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Waits for changes of files by inotify.
enum FileWatch {
    /// Returns when something changes in the directory of `path`, or at the limit.
    static func waitForChange(under path: String, within limit: Duration) {
        let directory = "/" + path.split(separator: "/").dropLast().joined(separator: "/")
        let watch = inotify_init1(Int32(IN_CLOEXEC))
        guard watch >= 0 else { return }
        defer { close(watch) }
        guard inotify_add_watch(watch, directory, UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO)) >= 0
        else { return }
        var waiting = pollfd(fd: watch, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, Int32(limit / .milliseconds(1)))
    }
}
