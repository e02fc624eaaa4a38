// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import CLinux
internal import Glibc
package import SystemPackage

/// A directory that is open: all in it is reached by descriptor, and never through a link.
package struct Directory: ~Copyable, Sendable {
    /// How a path of several parts is followed.
    package enum Walk: Sendable {
        /// By the kernel, in one call (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS).
        case kernel
        /// Part by part, for a task: its filter denies openat2, whose arguments it cannot see. Its
        /// rights need only reach where the path ends (O_PATH on the way).
        case parts
    }

    /// A name for messages; nothing is opened by it again. Empty for the host's root.
    package let path: String
    /// Its descriptor.
    package let descriptor: Descriptor

    /// Neither follows a link nor waits for the writer of a pipe that stands in a file's place.
    static let fileFlags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    /// For a file that `open` is to make for writing, and that must not be there.
    package static let creatingFlags: Int32 = O_WRONLY | O_CREAT | O_EXCL
    /// For a file that `open` is to write behind its end, and to make where it is missing.
    package static let appendingFlags: Int32 = O_WRONLY | O_CREAT | O_APPEND
    /// For a directory that `open` is to open for reading.
    package static let readingFlags: Int32 = O_RDONLY | O_DIRECTORY
    /// O_PATH of open(2), which Glibc's module hides.
    private static let pathOnly: Int32 = 0o10_000_000

    /// Takes ownership of an open directory.
    package init(owning descriptor: consuming Descriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens a directory by its path, whose last part must not be a link.
    package init(_ path: String) throws(SystemError) {
        let opened = try naming("open", path) { () throws(Errno) in
            try Descriptor(.open) { Glibc.open(path, Self.flags) }
        }
        self.init(owning: opened, path: path == "/" ? "" : path)
    }

    /// Makes a directory by its path; false where something is there already.
    @discardableResult
    package static func make(at path: String, mode: UInt32) throws(SystemError) -> Bool {
        do {
            _ = try system(.mkdir) { Int(mkdir(path, mode)) }
            return true
        } catch {
            if error == .fileExists { return false }
            throw SystemError("make", path, error)
        }
    }

    /// The host's root, to go on from by paths: what it holds cannot be listed (O_PATH).
    package static func hostRoot() throws(SystemError) -> Directory {
        let opened = try naming("open", "/") { () throws(Errno) in
            try Descriptor(.open) { Glibc.open("/", pathOnly | O_DIRECTORY | O_CLOEXEC) }
        }
        return Directory(owning: opened, path: "")
    }

    // MARK: - Below it

    /// Opens a directory below; no link on the way is followed, and "..", "" and "." are refused.
    package func directory(
        _ relative: String, by walk: Walk = .kernel
    ) throws(SystemError) -> Directory {
        Directory(
            owning: try open(relative, flags: O_RDONLY | O_DIRECTORY, by: walk),
            path: full(relative))
    }

    /// Opens the directory above: for one that nobody moves, as a cgroup.
    package func parent() throws(SystemError) -> Descriptor {
        let number = descriptor.number
        return try naming("open", full("..")) { () throws(Errno) in
            try Descriptor(.open) { openat(number, "..", Self.flags) }
        }
    }

    /// Opens a regular file below for reading.
    package func file(_ relative: String, by walk: Walk = .kernel) throws(SystemError) -> File {
        try File(
            try open(relative, flags: O_RDONLY, by: walk), path: full(relative))
    }

    /// Opens, and makes where it is missing, a file of this directory with flags of open(2).
    package func open(
        _ name: String, flags: Int32, mode: UInt32 = 0
    ) throws(SystemError) -> Descriptor {
        try checkName(name)
        let flags = flags | O_NOFOLLOW | O_CLOEXEC
        let number = descriptor.number
        return try naming("open", full(name)) { () throws(Errno) in
            try Descriptor(.open) { openat(number, name, flags, mode) }
        }
    }

    /// Opens what lies under a name that was read here, with flags of open(2); never a link.
    package func open(_ entry: Entry, flags: Int32) throws(SystemError) -> Descriptor {
        let flags = flags | O_NOFOLLOW | O_CLOEXEC
        let number = descriptor.number
        let name = entry.cString
        return try naming("open", full(entry.shown)) { () throws(Errno) in
            try Descriptor(.open) { openat(number, name, flags) }
        }
    }

    /// Opens what lies below, with flags of open(2); never a link, and without waiting.
    package func open(
        _ relative: String, flags: Int32, by walk: Walk
    ) throws(SystemError) -> Descriptor {
        let parts = relative.split(separator: "/", omittingEmptySubsequences: false).map(
            String.init)
        for part in parts { try checkName(part) }
        let flags = flags | Self.fileFlags
        if parts.count > 1, case .kernel = walk {
            let number = descriptor.number
            do throws(Errno) {
                return try Descriptor(.open) { aico_open_beneath(number, relative, flags) }
            } catch {
                // The kernel does not say where: the same again, part by part, for the words.
                _ = try open(relative, flags: flags, by: .parts)
                throw SystemError("open", full(relative), error)
            }
        }
        var current = try naming("open", path) { () throws(Errno) in try descriptor.duplicate() }
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            let flags = isLast ? flags : Self.pathOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            let number = current.number
            let next = try naming("open", full(parts[...index].joined(separator: "/"))) {
                () throws(Errno) in
                try Descriptor(.open) { openat(number, part, flags) }
            }
            current = next
        }
        return current
    }

    /// What lies under a name, links not followed; nil where nothing does.
    package func status(of name: String) throws(SystemError) -> FileStatus? {
        try checkName(name)
        return try status(at: name, shown: name)
    }

    private func status(
        at name: UnsafePointer<CChar>, shown: @autoclosure () -> String
    ) throws(SystemError) -> FileStatus? {
        var status = stat()
        let number = descriptor.number
        do {
            _ = try system(.fstat) { Int(fstatat(number, name, &status, AT_SYMLINK_NOFOLLOW)) }
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw SystemError("examine", full(shown()), error)
        }
        return FileStatus(status)
    }

    /// What lies in it, sorted by name, without "." and "..".
    ///
    /// - Parameters:
    ///   - limit: so many names at most are read; `isAll` is false where there are more.
    /// - Returns: names as bytes too, as one need not be UTF-8 (`name` is nil then).
    package func entries(limit: Int) throws(SystemError) -> (entries: [Entry], isAll: Bool) {
        let number = descriptor.number
        let copy = try naming("read", path) { () throws(Errno) in
            try Descriptor(.open) { openat(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        }
        guard let stream = fdopendir(copy.number) else {
            throw SystemError("read", path, Errno(rawValue: errno))
        }
        // The stream owns it now.
        _ = copy.release()
        defer { closedir(stream) }
        var found: [Entry] = []
        while true {
            let next = try naming("read", path) { () throws(Errno) in try readEntry(stream) }
            guard let next else {
                return (found.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }, true)
            }
            if next.bytes == [0x2E] || next.bytes == [0x2E, 0x2E] { continue }
            guard found.count < limit else {
                return (found.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }, false)
            }
            found.append(next)
        }
    }

    /// What kind of thing an entry is; nil where it is gone by now.
    package func kind(of entry: Entry) throws(SystemError) -> FileStatus.Kind? {
        if let kind = entry.kind { return kind }
        return try status(at: entry.cString, shown: entry.shown)?.kind
    }

    /// The names in it that are UTF-8, sorted; one that is not is none of ours.
    package func names(limit: Int) throws(SystemError) -> (names: [String], isAll: Bool) {
        let (entries, isAll) = try entries(limit: limit)
        return (entries.compactMap(\.name), isAll)
    }

    /// A name in a directory.
    package struct Entry: Sendable, Equatable {
        /// Without an end mark.
        package let bytes: [UInt8]
        /// As the file system tells it; nil where it does not, and `status(of:)` has to be asked.
        package let kind: FileStatus.Kind?

        /// The name; nil where it is no UTF-8.
        package var name: String? { String(validating: bytes, as: UTF8.self) }

        /// The name for people, with a sign for what is no UTF-8: nothing is found by it.
        package var shown: String { String(decoding: bytes, as: UTF8.self) }

        fileprivate var cString: [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
    }

    // MARK: - Changes

    /// Makes a directory; false where something of that name is there already.
    @discardableResult
    package func make(_ name: String, mode: UInt32) throws(SystemError) -> Bool {
        try checkName(name)
        let number = descriptor.number
        do {
            _ = try system(.mkdir) { Int(mkdirat(number, name, mode)) }
            return true
        } catch {
            if error == .fileExists { return false }
            throw SystemError("make", full(name), error)
        }
    }

    /// Gives a file a second name; false where something of that name is there already.
    package func link(_ name: String, as second: String) throws(SystemError) -> Bool {
        try checkName(name)
        try checkName(second)
        let number = descriptor.number
        do {
            _ = try system(.link) { Int(linkat(number, name, number, second, 0)) }
            return true
        } catch {
            if error == .fileExists { return false }
            throw SystemError("link", full(second), error)
        }
    }

    /// Gives what lies under a name another one, over whatever has that.
    package func rename(_ name: String, to new: String) throws(SystemError) {
        try checkName(name)
        try checkName(new)
        let number = descriptor.number
        try naming("rename", full(name)) { () throws(Errno) in
            _ = try system(.rename) { Int(renameat(number, name, number, new)) }
        }
    }

    /// Removes a name, or with `isDirectory` an empty directory; false where nothing was there.
    @discardableResult
    package func remove(_ name: String, isDirectory: Bool = false) throws(SystemError) -> Bool {
        try checkName(name)
        return try remove(at: name, isDirectory, shown: name)
    }

    /// Removes a name that was read here, of whatever bytes; otherwise as by a text.
    @discardableResult
    package func remove(_ entry: Entry, isDirectory: Bool = false) throws(SystemError) -> Bool {
        try remove(at: entry.cString, isDirectory, shown: entry.shown)
    }

    private func remove(
        at name: UnsafePointer<CChar>, _ isDirectory: Bool, shown: @autoclosure () -> String
    ) throws(SystemError) -> Bool {
        let number = descriptor.number
        do {
            _ = try system(.unlink) {
                Int(unlinkat(number, name, isDirectory ? AT_REMOVEDIR : 0))
            }
            return true
        } catch {
            if error == .noSuchFileOrDirectory { return false }
            throw SystemError("remove", full(shown()), error)
        }
    }

    /// Changes owner and group of what lies under a name, a link itself; false where nothing does.
    @discardableResult
    package func changeOwner(
        of name: String, user: UInt32, group: UInt32
    ) throws(SystemError) -> Bool {
        try checkName(name)
        let number = descriptor.number
        do {
            _ = try system(.fchown) {
                Int(fchownat(number, name, user, group, AT_SYMLINK_NOFOLLOW))
            }
            return true
        } catch {
            if error == .noSuchFileOrDirectory { return false }
            throw SystemError("change the owner of", full(name), error)
        }
    }

    /// Puts a file in place, whole or not at all, also over a crash: written beside, synced, renamed.
    ///
    /// - Parameters:
    ///   - mode: whatever the umask.
    ///   - group: of the file; nil leaves it as it comes.
    package func replace(
        _ name: String, with bytes: [UInt8], mode: UInt32, group: UInt32? = nil
    ) throws(SystemError) {
        let temporary = "\(name).new"
        try remove(temporary)
        let file = try open(temporary, flags: Self.creatingFlags, mode: mode)
        do {
            try naming("write", full(temporary)) { () throws(Errno) in
                if let group { try file.changeOwner(user: .max, group: group) }
                try file.changeMode(mode)
            }
            try file.write(bytes, syncing: full(temporary))
            try rename(temporary, to: name)
        } catch {
            _ = try? remove(temporary)
            throw error
        }
        try sync()
    }

    /// Writes its names through to the disk.
    package func sync() throws(SystemError) {
        try naming("sync", shown) { () throws(Errno) in try descriptor.sync() }
    }

    /// What it is itself.
    package func status() throws(SystemError) -> FileStatus {
        try naming("examine", shown) { () throws(Errno) in try descriptor.status() }
    }

    // MARK: - Trust

    /// Checks that one of `owners` has it, and that nobody else may write to it.
    ///
    /// - Returns: what it is.
    @discardableResult
    package func checkTrusted(
        owners: Set<UInt32>, mayGroupWrite: Bool = false
    ) throws(SystemError) -> FileStatus {
        let status = try status()
        guard owners.contains(status.user) else {
            throw SystemError("use", shown, .untrusted("it belongs to uid \(status.user)"))
        }
        guard status.mode & (mayGroupWrite ? 0o002 : 0o022) == 0 else {
            throw SystemError(
                "use", shown,
                .untrusted(
                    "others than \(status.user == 0 ? "root" : "uid \(status.user)") may write to it"
                ))
        }
        return status
    }

    private var shown: String { path.isEmpty ? "/" : path }

    private func full(_ relative: String) -> String { "\(path)/\(relative)" }

    private func checkName(_ name: String) throws(SystemError) {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(0),
            !name.utf8.contains(UInt8(ascii: "/"))
        else { throw SystemError("use", full(name), .untrusted("it is no name of a file")) }
    }
}

/// The next entry of a stream; nil at the end.
private func readEntry(_ stream: OpaquePointer) throws(Errno) -> Directory.Entry? {
    var found: UnsafeMutablePointer<dirent>?
    _ = try system(.getdents) {
        // The end and a failure give the same, but for errno.
        errno = 0
        found = readdir(stream)
        return found == nil && errno != 0 ? -1 : 0
    }
    guard let entry = found else { return nil }
    let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
    let kind: FileStatus.Kind? =
        switch Int(entry.pointee.d_type) {
        case DT_REG: .regular
        case DT_DIR: .directory
        case DT_LNK: .link
        case DT_FIFO: .pipe
        case DT_SOCK: .socket
        case DT_BLK, DT_CHR: .device
        default: nil
        }
    return Directory.Entry(bytes: bytes, kind: kind)
}

extension Descriptor {
    /// Writes what is held in memory through to the disk.
    package func sync() throws(Errno) {
        let number = self.number
        _ = try system(.fsync) { Int(fsync(number)) }
    }
}
