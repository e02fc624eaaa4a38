// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// The directory of what is learned, held by one run at a time.
final class LearningLock {
    /// The database's name in it.
    static let fileName = "background_learning.db"

    private let descriptor: Int32
    let database: String

    /// Takes the lock, which ends with the process at the latest, and makes the file if needed.
    init(directory: String) throws(FileError) {
        descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(directory, code: errno) }
        database = "\(directory)/\(Self.fileName)"
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            throw code == EWOULDBLOCK
                ? FileError(directory, "another run is learning") : FileError(directory, code: code)
        }
        // SQLite would follow a link, and make the file readable for others.
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = openat(descriptor, Self.fileName, flags, 0o600)
        guard file >= 0 else { throw FileError(database, code: errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(database, "it is no regular file")
        }
    }

    deinit { close(descriptor) }
}
