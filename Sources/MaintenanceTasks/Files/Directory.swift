// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// An open directory; everything in it is reached by descriptor and never through a link.
struct Directory: ~Copyable {
    private let descriptor: Int32

    /// Opens a directory by its path, whose last part must not be a link.
    init?(path: String) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
    }

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Opens a directory in this one; nil where it is none, or a link.
    func directory(_ name: String) -> Directory? {
        let opened = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        return opened < 0 ? nil : Directory(descriptor: opened)
    }

    /// What lies under a name, links not followed; nil where nothing does.
    func status(_ name: String) -> stat? {
        var status = stat()
        return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
    }

    /// Removes a name that is no directory; gives errno, 0 where it went well.
    func remove(_ name: String) -> Int32 {
        unlinkat(descriptor, name, 0) == 0 ? 0 : errno
    }

    /// Up to `limit` names, sorted; nil where they cannot be read.
    func names(limit: Int) -> [String]? {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return nil }
        guard let stream = fdopendir(copy) else {
            close(copy)
            return nil
        }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < limit {
            errno = 0
            guard let entry = readdir(stream) else { return errno == 0 ? names.sorted() : nil }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: UInt8.self, capacity: 256) {
                    String(
                        validatingCString: UnsafeRawPointer($0).assumingMemoryBound(
                            to: CChar.self))
                }
            }
            // A name that is no UTF-8 is none of ours.
            if let name, name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
