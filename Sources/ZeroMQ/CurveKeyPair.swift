// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ

/// A CURVE key pair, each key as 40 characters of Z85.
package struct CurveKeyPair: Sendable, Equatable {
    /// The public key.
    package let publicKey: String
    /// The secret key; never to be printed or logged.
    package let secretKey: String

    /// Wraps keys that were made before; throws EINVAL where they are not 40 characters of Z85.
    package init(publicKey: String, secretKey: String) throws(ZeroMQError) {
        try Self.check(publicKey, "public key")
        try Self.check(secretKey, "secret key")
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// Draws a new pair (zmq_curve_keypair(3)).
    package static func generate() throws(ZeroMQError) -> CurveKeyPair {
        var publicKey = [CChar](repeating: 0, count: 41)
        var secretKey = [CChar](repeating: 0, count: 41)
        guard zmq_curve_keypair(&publicKey, &secretKey) == 0 else {
            throw .last("draw key pair", "")
        }
        return try CurveKeyPair(publicKey: text(publicKey), secretKey: text(secretKey))
    }

    /// Derives the public key of a secret one (zmq_curve_public(3)).
    package static func publicKey(of secretKey: String) throws(ZeroMQError) -> String {
        try check(secretKey, "secret key")
        var publicKey = [CChar](repeating: 0, count: 41)
        guard zmq_curve_public(&publicKey, secretKey) == 0 else { throw .last("derive key", "") }
        return text(publicKey)
    }

    /// Throws EINVAL where a text is not a key; the text itself stays out of the error.
    package static func check(_ key: String) throws(ZeroMQError) { try check(key, "key") }

    /// Encodes 32 bytes as 40 characters of Z85; nil where it is another number of bytes.
    static func z85(_ bytes: [UInt8]) -> String? {
        guard bytes.count == 32 else { return nil }
        var characters = [CChar](repeating: 0, count: 41)
        guard zmq_z85_encode(&characters, bytes, bytes.count) != nil else { return nil }
        return text(characters)
    }

    /// Throws EINVAL where a text is not a key; the text itself stays out of the error.
    static func check(_ key: String, _ name: String) throws(ZeroMQError) {
        var bytes = [UInt8](repeating: 0, count: 32)
        guard key.utf8.count == 40, zmq_z85_decode(&bytes, key) != nil else {
            throw ZeroMQError(operation: "use", subject: name, code: EINVAL)
        }
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix(40).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
