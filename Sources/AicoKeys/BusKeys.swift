// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem
import SystemPackage

/// What a bus client may ask for.
package enum ClientRole: String, Sendable, CaseIterable, Comparable {
    /// Reads.
    case viewer
    /// Reads, runs, cancels, enables and disables.
    case `operator`
    /// All requests.
    case admin

    /// Orders roles by what they may do, least first.
    package static func < (left: ClientRole, right: ClientRole) -> Bool {
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
package struct CurvePair: Sendable, Equatable {
    /// The public half.
    package var publicKey: String
    /// The secret half.
    package var secretKey: String

    /// Wraps the texts of a pair.
    package init(publicKey: String, secretKey: String) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }
}

/// A client key that the bus admits.
package struct AdmittedClient: Sendable, Equatable {
    /// The key file's name without `.key`.
    package var name: String
    /// The public key, Z85.
    package var publicKey: String
    /// What it may ask for.
    package var role: ClientRole

    package init(name: String, publicKey: String, role: ClientRole) {
        self.name = name
        self.publicKey = publicKey
        self.role = role
    }
}

/// The bus server's key pair and the admitted clients, as files of the keys directory.
///
/// `bus.key` holds the lines `public` and `secret`; `clients/NAME.key` the lines `public`,
/// `secret` and `server` (may be missing), `role`. All are mode 0440.
package struct BusKeys: Sendable, Equatable {
    /// The server's pair.
    package var server: CurvePair
    /// All admitted clients, by name.
    package var clients: [AdmittedClient]
    /// The client key files that are not admitted.
    package var problems: [KeyProblem] = []

    /// Reads the keys of `directory`; at first start makes the server's pair and one admin client.
    ///
    /// A client key file that is no good is among the problems and keeps nobody else out; only the
    /// server's own pair must be right.
    ///
    /// - Parameter generate: draws a fresh pair; ZeroMQ's generator in production.
    package static func open(directory: String, generate: () -> CurvePair)
        throws(KeyError) -> BusKeys
    {
        let path = directory + "/bus.key"
        if try KeyFile.read(path) == nil {
            let pair = generate()
            let text = "public \(pair.publicKey)\nsecret \(pair.secretKey)\n"
            _ = try KeyFile.create(path, bytes: Array(text.utf8))
        }
        let server = try serverPair(path)
        try KeyError.telling { () throws(SystemError) in
            _ = try Directory(directory).make("clients", mode: 0o750)
        }
        // A bad file is somebody's all the same: an administrator beside it was not asked for.
        if ClientKeys.read(directory: directory).isEmpty {
            try addClient(
                "admin", role: .admin, pair: generate(), server: server, directory: directory)
        }
        var keys = BusKeys(server: server, clients: [])
        keys.readClients(directory: directory)
        return keys
    }

    /// Reads the client key files anew.
    package mutating func readClients(directory: String) {
        let read = ClientKeys.read(directory: directory)
        clients = read.clients
        problems = read.problems
    }

    /// Says why the server's own pair would stop the start; makes nothing.
    package static func serverProblem(directory: String) -> KeyError? {
        let path = directory + "/bus.key"
        do throws(KeyError) {
            // A first start makes it.
            if try KeyFile.read(path) != nil { _ = try serverPair(path) }
            return nil
        } catch {
            return error
        }
    }

    private static func serverPair(_ path: String) throws(KeyError) -> CurvePair {
        // Its owner and mode first, with their own words.
        let bytes = try KeyFile.read(path) ?? []
        do throws(KeyProblem) {
            let fields = try CurveFile.parse(bytes, path: path)
            if let publicKey = fields["public"], let secretKey = fields["secret"] {
                return CurvePair(publicKey: publicKey.value, secretKey: secretKey.value)
            }
        } catch {
            throw KeyError.malformedFile(
                path: path, reason: "line \(error.line): \(error.reason); \(error.advice)")
        }
        throw KeyError.malformedFile(path: path, reason: "needs public and secret lines")
    }

    /// Writes a client's key file; throws where the name is taken or not of `[a-z0-9_-]`.
    package static func addClient(
        _ name: String, role: ClientRole, pair: CurvePair, server: CurvePair, directory: String
    ) throws(KeyError) {
        let path = "\(directory)/clients/\(name).key"
        guard CurveFile.isName(name) else {
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
            throw KeyError.file(operation: "create", path: path, errno: .fileExists)
        }
    }
}
