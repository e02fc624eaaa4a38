// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Foundation
import ZeroMQ

/// A client key file of the kind the scheduler writes for the maintenance class.
enum KeyFixture {
    static func write(_ path: String) throws {
        let file = ClientKeyFile(
            keys: try CurveKeyPair.generate(), serverKey: try CurveKeyPair.generate().publicKey,
            role: .viewer)
        try Data(file.text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: path)
    }
}
