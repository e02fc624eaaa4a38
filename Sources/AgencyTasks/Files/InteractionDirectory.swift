// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem

/// The open directory of interactions; its files are reached by name and never through a link.
struct InteractionDirectory: ~Copyable {
    /// So many names are looked at.
    static let maximumNames = 10_000
    /// Names of all kinds that are read, to find them among.
    static let maximumEntries = 1_000_000

    private let directory: Directory

    init(path: String) throws(SystemError) { directory = try Directory(path) }

    /// The names that end in `.jsonl`, sorted, and whether that is all of them.
    func names(
        limit: Int = maximumNames
    ) throws(SystemError) -> (names: [String], isAll: Bool) {
        let (names, isAll) = try directory.names(limit: Self.maximumEntries)
        let ours = names.filter { $0.hasSuffix(".jsonl") }
        return (Array(ours.prefix(limit)), isAll && ours.count <= limit)
    }

    /// Opens a regular file for reading.
    func open(_ name: String) throws(SystemError) -> InteractionFile {
        do throws(SystemError) {
            return InteractionFile(name: name, file: try directory.file(name))
        } catch {
            throw error.isLink ? SystemError("use", name, .untrusted("it is a link")) : error
        }
    }
}

/// An open file of interactions, with the length it had when it was opened.
struct InteractionFile: ~Copyable {
    let name: String
    private let file: File

    fileprivate init(name: String, file: consuming File) {
        self.name = name
        self.file = file
    }

    var inode: UInt64 { file.status.inode }
    var size: Int64 { file.status.size }

    /// Up to `count` bytes from `offset` on, fewer only at the end.
    func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
        try file.bytes(at: offset, count: count)
    }

    /// The first bytes in short; nil where there are fewer.
    func head(_ count: Int) throws(SystemError) -> FileHead? {
        let bytes = try read(at: 0, count: count)
        return bytes.count == count ? FileHead(bytes) : nil
    }
}
