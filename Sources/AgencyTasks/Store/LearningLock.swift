// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSystem
import SystemPackage

/// The directory of what is learned, held by one run at a time.
final class LearningLock {
    /// The database's name in it.
    static let fileName = "background_learning.db"

    private let directory: Directory
    let database: String

    /// Takes the lock, which ends with the process at the latest, and makes the file if needed.
    init(directory path: String) throws(SystemError) {
        directory = try Directory(path)
        database = "\(path)/\(Self.fileName)"
        let isOurs: Bool
        do throws(Errno) {
            isOurs = try directory.descriptor.lock()
        } catch {
            throw SystemError("lock", path, error)
        }
        guard isOurs else {
            throw SystemError("use", path, .untrusted("another run is learning"))
        }
        // SQLite would follow a link, and make the file readable for others.
        let file = try directory.open(
            Self.fileName, flags: O_RDWR | O_CREAT | O_NONBLOCK, mode: 0o600)
        guard (try? file.status().kind) == .regular else {
            throw SystemError("use", database, .untrusted("it is no regular file"))
        }
    }
}
