// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

@testable import LinuxSandbox

/// A file system that never answers, as of a server that is gone: FUSE, whose other end nobody
/// reads. Whoever looks at it waits until this object goes.
final class SilentFileSystem {
    let path: String
    private let device: Int32

    /// Mounts it on a directory; users but root are refused at once, unless it is open to them.
    init(on path: String, isOpenToOthers: Bool = false) throws {
        self.path = path
        device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { throw FixtureError(errno: errno) }
        let options =
            "fd=\(device),rootmode=40000,user_id=0,group_id=0"
            + (isOpenToOthers ? ",allow_other" : "")
        guard mount("silent", path, "fuse", UInt(MS_NOSUID | MS_NODEV), options) == 0 else {
            let error = FixtureError(errno: errno)
            close(device)
            throw error
        }
    }

    /// Whether one can be made here.
    static var isPossible: Bool { geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0 }

    /// Whether a process outside of every sandbox that looks at it does not come back in a while.
    func hangsOutside() -> Bool {
        let child = aico_fork()
        if child == 0 {
            var status = stat()
            _exit(stat(path, &status) == 0 ? 0 : 1)
        }
        let pidfd = aico_pidfd_open(child)
        var waiting = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        let came = poll(&waiting, 1, 300)
        kill(child, SIGKILL)
        var status: Int32 = 0
        waitpid(child, &status, 0)
        close(pidfd)
        return came == 0
    }

    deinit {
        // Ends every call that waits.
        close(device)
        umount2(path, 2)  // MNT_DETACH
    }
}
