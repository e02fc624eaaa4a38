// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Foundation
import ZeroMQ

/// A short-lived root with an admin's key file, as a scheduler leaves it.
final class CommandRoot: Sendable {
    let path: String
    let server: CurveKeyPair
    let admin: CurveKeyPair

    init() throws {
        path = "/tmp/aico-cmd-\(UInt32.random(in: 0...UInt32.max))"
        server = try CurveKeyPair.generate()
        admin = try CurveKeyPair.generate()
        for directory in ["run/aico/bus", "var/lib/aico/keys/clients"] {
            try FileManager.default.createDirectory(
                atPath: "\(path)/\(directory)", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        try write(keys: admin, to: "var/lib/aico/keys/clients/admin.key")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func endpoint(_ name: String) -> String { "ipc://\(path)/run/aico/bus/\(name)" }

    @discardableResult
    func write(keys: CurveKeyPair, to name: String) throws -> String {
        let file = ClientKeyFile(keys: keys, serverKey: server.publicKey, role: .admin)
        return try write(file.text, to: name)
    }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        return file
    }
}
