// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Reads the `name value` lines of a CURVE key file: public, secret, server, role.
enum CurveFile {
    /// A value and the line it stands in, from 1.
    struct Field: Equatable {
        var value: String
        var line: Int
    }

    private static let names = ["public", "secret", "server", "role"]

    /// Reads a file; nil where there is none.
    static func fields(_ path: String) throws(KeyProblem) -> [String: Field]? {
        let bytes: [UInt8]?
        do throws(KeyError) {
            bytes = try KeyFile.read(path)
        } catch {
            throw KeyProblem(error, path: path)
        }
        guard let bytes else { return nil }
        return try parse(bytes, path: path)
    }

    /// Reads the bytes of a file. Empty lines, and lines that begin with `#`, say nothing.
    static func parse(_ bytes: [UInt8], path: String) throws(KeyProblem) -> [String: Field] {
        var fields: [String: Field] = [:]
        // By bytes: to Swift, CR and LF are one character.
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, bytes) in lines.enumerated() where !bytes.isEmpty && bytes.first != 0x23 {
            func problem(_ reason: String, _ advice: String) -> KeyProblem {
                KeyProblem(path: path, line: index + 1, reason: reason, advice: advice)
            }
            guard bytes.last != 0x0D else {
                throw problem(
                    "it ends with CR and LF", "write lines that end with LF alone, as by dos2unix")
            }
            guard let line = String(validating: bytes, as: UTF8.self) else {
                throw problem("it is not UTF-8", "write ASCII characters alone")
            }
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, names.contains(parts[0]) else {
                // The line may be a key: only what is a name is shown.
                throw problem(
                    "it does not begin with one of \(names.joined(separator: ", "))",
                    "write lines as \"role viewer\": the name, a space, the value")
            }
            guard fields[parts[0]] == nil else {
                throw problem("it is the second \(parts[0]) line", "write one")
            }
            if parts[0] != "role", !isZ85Key(parts[1]) {
                throw problem(
                    "\(parts[0]) is not a key of 40 characters of Z85",
                    "write the key as the client's CURVE pair has it, without blanks")
            }
            fields[parts[0]] = Field(value: parts[1], line: index + 1)
        }
        return fields
    }

    /// Whether a text can be a client's name.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
            || byte == 0x2D
    }

    /// Source: ZeroMQ RFC 32, Z85.
    private static func isZ85Key(_ text: String) -> Bool {
        text.utf8.count == 40
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x30...0x39).contains(byte)
                    || ".-:+=^!/*?&<>()[]{}@%$#".utf8.contains(byte)
            }
    }
}
