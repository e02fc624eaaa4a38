// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire
import Glibc

/// Files that options name with an `@`.
enum InputFile {
    /// What an argument says, whole.
    enum Content: Equatable {
        case text(String)
        /// What is not UTF-8.
        case bytes([UInt8])
    }

    /// The text itself, or the content of the file after an `@`.
    static func content(_ argument: String) throws(Failure) -> Content {
        guard let path = path(argument) else { return .text(argument) }
        let bytes = try bytes(path)
        return String(validating: bytes, as: UTF8.self).map(Content.text) ?? .bytes(bytes)
    }

    /// The same for what must be text: what is not UTF-8 is refused, for replaced in silence it
    /// would be another text.
    static func text(_ argument: String) throws(Failure) -> String {
        switch try content(argument) {
        case .text(let text): return text
        case .bytes(let bytes): throw notText(bytes, path: path(argument) ?? "")
        }
    }

    /// An option with what it was given, in so far as that is a file's name.
    static func named(_ argument: String, _ option: String) -> String {
        path(argument).map { "\(option) \"@\($0)\"" } ?? option
    }

    private static func path(_ argument: String) -> String? {
        argument.hasPrefix("@") ? String(argument.dropFirst()) : nil
    }

    private static func notText(_ bytes: [UInt8], path: String) -> Failure {
        var decoder = UTF8()
        var input = bytes.makeIterator()
        var offset = 0
        while case .scalarValue(let scalar) = decoder.decode(&input) {
            offset += UTF8.width(scalar)
        }
        return ErrorMessages.unreadableFile(
            path, "it is not UTF-8 from byte \(offset) on", hint: "write its JSON in UTF-8")
    }

    private static func bytes(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ErrorMessages.unreadableFile(path, String(cString: strerror(errno)))
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
            throw ErrorMessages.unreadableFile(path, error.reason)
        }
        throw ErrorMessages.longInput("\"@\(path)\"", limit, carried: nil)
    }
}
