// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire
import Glibc

/// Files of text that options name with an `@`.
enum TextFile {
    /// The text itself, or the content of the file after an `@`.
    static func text(_ argument: String) throws(Failure) -> String {
        guard argument.hasPrefix("@") else { return argument }
        let path = String(argument.dropFirst())
        return try text(of: try bytes(path), path: path)
    }

    /// Refuses what is not UTF-8: replaced in silence, it would be another text.
    private static func text(of bytes: [UInt8], path: String) throws(Failure) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var decoder = UTF8()
        var input = bytes.makeIterator()
        var offset = 0
        while case .scalarValue(let scalar) = decoder.decode(&input) {
            offset += UTF8.width(scalar)
        }
        throw Wording.unreadableFile(
            path, "it is not UTF-8 from byte \(offset) on",
            hint: "encode it, as with base64, and have the command decode it")
    }

    private static func bytes(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Wording.unreadableFile(path, String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        let limit = BusLimits.maximumRequestBytes
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
        defer { buffer.deallocate() }
        do throws(StandardStream.Fault) {
            while bytes.count <= limit {
                let count = try StandardStream.read(descriptor, into: buffer)
                if count == 0 { return bytes }
                bytes.append(contentsOf: buffer[..<count])
            }
        } catch {
            throw Wording.unreadableFile(path, error.reason)
        }
        throw Wording.unreadableFile(path, "it is longer than \(limit) bytes")
    }
}
