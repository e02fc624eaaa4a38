// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// What a bus client may ask for.
public enum ClientRole: String, Sendable, CaseIterable, Comparable {
    /// Reads.
    case viewer
    /// Reads, runs, cancels, enables and disables.
    case `operator`
    /// All requests.
    case admin

    /// Orders roles by what they may do, least first.
    public static func < (left: ClientRole, right: ClientRole) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operator: 1
        case .admin: 2
        }
    }
}

/// A CURVE key pair as ZeroMQ writes it: 40 characters of Z85 each.
public struct CurvePair: Sendable, Equatable {
    /// The public half.
    public var publicKey: String
    /// The secret half.
    public var secretKey: String

    /// Wraps the texts of a pair.
    public init(publicKey: String, secretKey: String) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }
}

/// A client key that the bus admits.
public struct AdmittedClient: Sendable, Equatable {
    /// The key file's name without `.key`.
    public var name: String
    /// The public key, Z85.
    public var publicKey: String
    /// What it may ask for.
    public var role: ClientRole

    /// Makes a client from its parts.
    public init(name: String, publicKey: String, role: ClientRole) {
        self.name = name
        self.publicKey = publicKey
        self.role = role
    }
}

/// The bus server's key pair and the admitted clients, as files of the keys directory.
///
/// `bus.key` holds the lines `public` and `secret`; `clients/NAME.key` the lines `public`,
/// `secret` (may be missing), `server`, `role`. All are mode 0440.
public struct BusKeys: Sendable, Equatable {
    /// The server's pair.
    public var server: CurvePair
    /// All admitted clients, by name.
    public var clients: [AdmittedClient]

    /// Reads the keys of `directory`; at first start makes the server's pair and one admin client.
    ///
    /// - Parameter generate: draws a fresh pair; ZeroMQ's generator in production.
    public static func open(directory: String, generate: () -> CurvePair)
        throws(KeyError) -> BusKeys
    {
        let path = directory + "/bus.key"
        if try KeyFile.read(path) == nil {
            let pair = generate()
            let text = "public \(pair.publicKey)\nsecret \(pair.secretKey)\n"
            _ = try KeyFile.create(path, bytes: Array(text.utf8))
        }
        guard let fields = try CurveFile.fields(path), let publicKey = fields["public"],
            let secretKey = fields["secret"]
        else { throw KeyError.malformedFile(path: path, reason: "needs public and secret lines") }
        let server = CurvePair(publicKey: publicKey, secretKey: secretKey)
        try makeDirectory(directory + "/clients")
        if try clients(directory: directory).isEmpty {
            try addClient(
                "admin", role: .admin, pair: generate(), server: server, directory: directory)
        }
        return BusKeys(server: server, clients: try clients(directory: directory))
    }

    /// Writes a client's key file; throws where the name is taken or not of `[a-z0-9_-]`.
    public static func addClient(
        _ name: String, role: ClientRole, pair: CurvePair, server: CurvePair, directory: String
    ) throws(KeyError) {
        let path = "\(directory)/clients/\(name).key"
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(CurveFile.isNameByte) else {
            throw KeyError.malformedFile(
                path: path, reason: "a client's name has 1 to 64 of a-z, 0-9, '_' and '-'")
        }
        let text = """
            public \(pair.publicKey)
            secret \(pair.secretKey)
            server \(server.publicKey)
            role \(role.rawValue)

            """
        guard try KeyFile.create(path, bytes: Array(text.utf8)) else {
            throw KeyError.file(operation: "create", path: path, errno: EEXIST)
        }
    }

    /// Reads all client key files, sorted by name.
    public static func clients(directory: String) throws(KeyError) -> [AdmittedClient] {
        let folder = directory + "/clients"
        guard let stream = opendir(folder) else {
            let code = errno
            if code == ENOENT { return [] }
            throw KeyError.file(operation: "open", path: folder, errno: code)
        }
        defer { closedir(stream) }
        var found: [AdmittedClient] = []
        while let entry = readdir(stream) {
            let file = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard file.hasSuffix(".key") else { continue }
            let path = "\(folder)/\(file)"
            guard let fields = try CurveFile.fields(path) else { continue }
            guard let key = fields["public"], let role = fields["role"].flatMap(ClientRole.init)
            else {
                throw KeyError.malformedFile(
                    path: path, reason: "needs a public line and role viewer, operator or admin")
            }
            found.append(
                AdmittedClient(name: String(file.dropLast(4)), publicKey: key, role: role))
        }
        return found.sorted { $0.name < $1.name }
    }

    private static func makeDirectory(_ path: String) throws(KeyError) {
        guard mkdir(path, 0o750) != 0 else { return }
        let code = errno
        guard code == EEXIST else {
            throw KeyError.file(operation: "make directory", path: path, errno: code)
        }
    }
}

/// Reads the `name value` lines of a CURVE key file.
enum CurveFile {
    static func fields(_ path: String) throws(KeyError) -> [String: String]? {
        guard let bytes = try KeyFile.read(path) else { return nil }
        var fields: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, fields[parts[0]] == nil else {
                throw KeyError.malformedFile(
                    path: path, reason: "each line is a name and a value, each name once")
            }
            fields[parts[0]] = parts[1]
        }
        for name in ["public", "secret", "server"] {
            if let key = fields[name], !isZ85Key(key) {
                throw KeyError.malformedFile(
                    path: path, reason: "\"\(name)\" is not a Z85 key of 40 characters")
            }
        }
        return fields
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
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
