// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import TaskKit

/// Walks over the regular files of a folder and of those below it, without following links.
struct FolderWalk {
    /// Files of the folder that was read last.
    private var sizes: [Int] = []
    /// Folders that are to be read.
    private var folders: [String]

    /// Looks at the folder.
    ///
    /// - Throws: `TaskFailure`, transient: a folder that is not there may come back.
    init(_ folder: String) throws(TaskFailure) {
        guard access(folder, R_OK | X_OK) == 0 else {
            throw .transient("cannot read '\(folder)': \(String(cString: strerror(errno)))")
        }
        folders = [folder]
    }

    /// The size of the next file in bytes; nil after the last. What cannot be read is left out.
    mutating func next() -> Int? {
        while sizes.isEmpty, let folder = folders.popLast() { read(folder) }
        return sizes.popLast()
    }

    private mutating func read(_ folder: String) {
        guard let stream = opendir(folder) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard name != ".", name != "..", lstat("\(folder)/\(name)", &status) == 0 else {
                continue
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: folders.append("\(folder)/\(name)")
            case S_IFREG: sizes.append(Int(status.st_size))
            default: break
            }
        }
    }
}
