// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
package import AicoWire
import Glibc
package import ZeroMQ

/// A client's keys as kept in a file of four lines: `public`, `secret`, `server`, `role`.
package struct ClientKeyFile: Sendable, Equatable {
    /// The longest accepted file, in bytes.
    static let maximumBytes = 4096

    /// The client's own pair.
    package let keys: CurveKeyPair
    /// The public key of the scheduler's bus.
    package let serverKey: String
    /// The role that the scheduler gave to the key; the scheduler's own record decides.
    package let role: BusRole

    package init(keys: CurveKeyPair, serverKey: String, role: BusRole) {
        self.keys = keys
        self.serverKey = serverKey
        self.role = role
    }

    /// The file's text.
    package var text: String {
        """
        public \(keys.publicKey)
        secret \(keys.secretKey)
        server \(serverKey)
        role \(role.rawValue)

        """
    }

    /// Reads a file; refuses one that others than its owner and group could read, or that its
    /// group could write. Neither keys nor other content of the file go into errors.
    package static func read(path: String) throws(BusError) -> ClientKeyFile {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw bad(path, reason(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw bad(path, reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw bad(path, "not a regular file") }
        guard status.st_mode & 0o027 == 0 else {
            throw bad(path, Self.isOpenToOthers)
        }
        var buffer = [UInt8](repeating: 0, count: maximumBytes + 1)
        var count = 0
        while count < buffer.count {
            let part = buffer[count...].withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if part < 0, errno == EINTR { continue }
            guard part >= 0 else { throw bad(path, reason(errno)) }
            if part == 0 { break }
            count += part
        }
        guard count <= maximumBytes else { throw bad(path, "longer than \(maximumBytes) bytes") }
        return try parse(String(decoding: buffer.prefix(count), as: UTF8.self), path: path)
    }

    /// Reads a file's text; `path` goes into errors.
    package static func parse(_ text: String, path: String) throws(BusError) -> ClientKeyFile {
        var values: [String: String] = [:]
        for (index, line) in text.split(separator: "\n").enumerated() {
            let words = line.split(separator: " ")
            guard words.count == 2, names.contains(String(words[0])),
                values.updateValue(String(words[1]), forKey: String(words[0])) == nil
            else {
                throw bad(path, "line \(index + 1) is not one of \(names.joined(separator: ", "))")
            }
        }
        guard let publicKey = values["public"], let secretKey = values["secret"],
            let serverKey = values["server"], let roleName = values["role"]
        else { throw bad(path, "it must have the lines \(names.joined(separator: ", "))") }
        guard let role = BusRole(rawValue: roleName) else { throw bad(path, "unknown role") }
        do {
            let keys = try CurveKeyPair(publicKey: publicKey, secretKey: secretKey)
            guard try CurveKeyPair.publicKey(of: secretKey) == publicKey else {
                throw ZeroMQError(operation: "use", subject: "public key", code: EINVAL)
            }
            try CurveKeyPair.check(serverKey)
            return ClientKeyFile(keys: keys, serverKey: serverKey, role: role)
        } catch {
            throw bad(path, "a key is not 40 characters of Z85, or the pair does not match")
        }
    }

    /// What is wrong with a file whose mode lets others in.
    static let isOpenToOthers = "others may read or change it"

    private static let names = ["public", "secret", "server", "role"]

    private static func bad(_ path: String, _ reason: String) -> BusError {
        .badKeyFile(path: path, reason: reason)
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
