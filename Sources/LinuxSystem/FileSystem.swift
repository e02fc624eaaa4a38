// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import CLinux
package import Glibc
package import SystemPackage

/// What the kernel says of a mounted file system.
package enum FileSystem {
    /// What kind of one a descriptor is on, as the numbers of linux/magic.h.
    package static func magic(of number: CInt) throws(Errno) -> Int {
        var status = statfs()
        _ = try system(.statfs) { Int(fstatfs(number, &status)) }
        return Int(status.f_type)
    }

    /// Its size and what of it is free, where a path lies.
    package static func room(of path: String) throws(Errno) -> statvfs {
        var status = Glibc.statvfs()
        _ = try system(.statfs) { Int(statvfs(path, &status)) }
        return status
    }

    /// What a link says; nothing is opened by it.
    package static func target(ofLink path: String) throws(Errno) -> String {
        var room = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let most = room.count
        let count = try system(.readlink) { readlink(path, &room, most) }
        guard count < room.count else { throw .fileNameTooLong }
        return String(decoding: room[..<count], as: UTF8.self)
    }
}
