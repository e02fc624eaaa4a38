// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// The directory of the project, from this file's own path.
let projectDirectory: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/")
}()

/// Makes a directory of its own for a test, owned by root and readable by all.
func temporaryDirectory(_ name: String, below parent: String = "/tmp") throws -> String {
    var template = Array("\(parent)/aico-\(name)-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw HostError(step: "mkdtemp", errno: errno) }
    let path = String(cString: made)
    chmod(path, 0o755)
    return path
}

/// The names in a directory, but `.` and `..`.
func directoryEntries(_ path: String) throws -> [String] {
    guard let stream = opendir(path) else { throw HostError(step: "list \(path)", errno: errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// The bytes of a file that may have no size, as those of /proc.
func bytesOfFile(_ path: String) throws -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw HostError(step: "open \(path)", errno: errno) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return bytes }
        bytes.append(contentsOf: buffer[..<count])
    }
}

func textOfFile(_ path: String) throws -> String {
    String(decoding: try bytesOfFile(path), as: UTF8.self)
}

func writeFile(_ text: String, to path: String, mode: mode_t = 0o644) throws {
    try writeFile(Array(text.utf8), to: path, mode: mode)
}

func writeFile(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard file >= 0 else { throw HostError(step: "write \(path)", errno: errno) }
    defer { close(file) }
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard count > 0 else { throw HostError(step: "write \(path)", errno: errno) }
        rest = rest.dropFirst(count)
    }
    fchmod(file, mode)
}

func copyFile(_ source: String, to target: String, mode: mode_t) throws {
    try writeFile(try bytesOfFile(source), to: target, mode: mode)
}

func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

/// Removes a directory tree without following links, whatever bytes its names have.
func removeTree(_ path: String) { path.withCString { removeTree($0, in: AT_FDCWD) } }

private func removeTree(_ name: UnsafePointer<CChar>, in parent: Int32) {
    if unlinkat(parent, name, 0) == 0 { return }
    let directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard directory >= 0 else { return }
    guard let stream = fdopendir(directory) else {
        close(directory)
        return
    }
    defer { closedir(stream) }
    var names: [[CChar]] = []
    while let entry = readdir(stream) {
        // A task of random calls makes names that are no text: as a String they would be others.
        withUnsafePointer(to: &entry.pointee.d_name) { bytes in
            bytes.withMemoryRebound(to: CChar.self, capacity: 256) { text in
                names.append(Array(UnsafeBufferPointer(start: text, count: strlen(text) + 1)))
            }
        }
    }
    for name in names where name != Array(".".utf8CString) && name != Array("..".utf8CString) {
        removeTree(name, in: directory)
    }
    unlinkat(parent, name, AT_REMOVEDIR)
}

/// The target of a symbolic link.
func linkTarget(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = readlink(path, &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
}
