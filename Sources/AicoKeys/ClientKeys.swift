// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem
import SystemPackage

/// The client key files of a keys directory: who is admitted, and which files are not and why.
///
/// A bad file never keeps the others out.
package struct ClientKeys: Sendable, Equatable {
    /// The admitted clients, by name.
    package var clients: [AdmittedClient]
    /// The files that are not admitted, by path.
    package var problems: [KeyProblem]
    /// Whether there is no client key file at all, good or bad.
    package var isEmpty: Bool { clients.isEmpty && problems.isEmpty }

    /// Reads all files `clients/*.key` of the keys directory; changes nothing.
    package static func read(directory: String) -> ClientKeys {
        let folder = directory + "/clients"
        var keys = ClientKeys(clients: [], problems: [])
        let entries: [Directory.Entry]
        do throws(SystemError) {
            entries = try Directory(folder).entries(limit: .max).entries
        } catch {
            if error.errno == .noSuchFileOrDirectory { return keys }
            keys.problems = [KeyProblem(KeyError(error), path: folder)]
            return keys
        }
        for entry in entries {
            let file = String(decoding: entry.bytes, as: UTF8.self)
            guard file.hasSuffix(".key") else { continue }
            do throws(KeyProblem) {
                let name = try name(ofFile: file, folder: folder)
                guard let client = try client("\(folder)/\(file)", name: name)
                else { continue }
                keys.clients.append(client)
            } catch {
                keys.problems.append(error)
            }
        }
        keys.refuseShared(folder: folder)
        keys.clients.sort { $0.name < $1.name }
        keys.problems.sort { $0.path < $1.path }
        return keys
    }

    /// The client's name, which stands in logs and in the audit log.
    private static func name(ofFile file: String, folder: String) throws(KeyProblem) -> String {
        let name = String(file.dropLast(4))
        guard !name.isEmpty else {
            throw KeyProblem(
                path: "\(folder)/\(file)", reason: "it has no name before the \".key\"",
                advice: "rename it to NAME.key, as in viewer.key")
        }
        // What is not UTF-8 came here with replacement characters, which no name may have.
        guard CurveFile.isName(name) else {
            throw KeyProblem(
                path: "\(folder)/\(file)",
                reason:
                    "its name is not 1 to 64 of \"a\" to \"z\", \"0\" to \"9\", \"_\" and \"-\"",
                advice: "rename it to NAME.key, as in viewer.key")
        }
        return name
    }

    private static func client(
        _ path: String, name: String
    ) throws(KeyProblem) -> AdmittedClient? {
        guard let fields = try CurveFile.fields(path) else { return nil }
        let roles = "write \"role viewer\", \"role operator\" or \"role admin\""
        guard !fields.isEmpty else {
            throw KeyProblem(
                path: path, reason: "it is empty",
                advice: "write a line \"public KEY\" and a line \"role viewer\", or remove it")
        }
        guard let key = fields["public"] else {
            throw KeyProblem(
                path: path, reason: "it has no public line",
                advice: "write \"public KEY\" with the client's public key")
        }
        guard let text = fields["role"] else {
            throw KeyProblem(path: path, reason: "it has no role line", advice: roles)
        }
        guard let role = ClientRole(rawValue: text.value) else {
            let meant = ClientRole(rawValue: text.value.trimmed.lowercased())
            throw KeyProblem(
                path: path, line: text.line, reason: "unknown role \"\(text.value.prefix(32))\"",
                advice: meant.map { "write \"role \($0.rawValue)\"" } ?? roles)
        }
        return AdmittedClient(name: name, publicKey: key.value, role: role)
    }

    /// Admits none of the files that share a public key: nobody can tell which of their roles was
    /// meant, and taking one would give a copy's right to the other.
    private mutating func refuseShared(folder: String) {
        for (_, sharing) in Dictionary(grouping: clients, by: \.publicKey) where sharing.count > 1 {
            let names = sharing.map(\.name).sorted()
            for name in names {
                let others = names.filter { $0 != name }.map { "\"\($0).key\"" }
                problems.append(
                    KeyProblem(
                        path: "\(folder)/\(name).key",
                        reason:
                            "it has the public key of \(others.joined(separator: ", ")) as well",
                        advice: "make a key pair for each client, or remove all but one"))
            }
            clients.removeAll { names.contains($0.name) }
        }
    }
}

extension String {
    /// Without blanks at its ends.
    fileprivate var trimmed: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        let rest = drop(while: isBlank)
        return String(String(rest.reversed()).drop(while: isBlank).reversed())
    }
}
