// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Crypto
import FoundationEssentials

/// Seals single column values with AES-256-GCM, bound to table, column, row and key version.
///
/// A sealed value is 4 bytes key version (big endian), 12 bytes nonce, the cipher text, 16 bytes
/// tag. A value copied to another row, column or table does not open.
package struct Sealer: Sendable {
    private let ring: KeyRing
    /// Deriving costs 4 µs, as much as sealing itself.
    private let keys: [UInt32: SymmetricKey]

    init(ring: KeyRing) {
        self.ring = ring
        var keys: [UInt32: SymmetricKey] = [:]
        if ring.currentVersion >= 1 {
            for version in 1...ring.currentVersion {
                keys[version] = ring.dataKey(version: version)
            }
        }
        self.keys = keys
    }

    /// Seals `bytes` for one place.
    package func seal(_ bytes: [UInt8], table: String, column: String, row: String)
        throws(KeyError) -> [UInt8]
    {
        let version = ring.currentVersion
        let subject = "\(table).\(column)"
        guard let key = keys[version] else {
            throw KeyError.unknownVersion(subject: subject, version: version)
        }
        let place = Self.place(table: table, column: column, row: row, version: version)
        guard let box = try? AES.GCM.seal(bytes, using: key, authenticating: place),
            let combined = box.combined
        else { throw KeyError.malformedSeal(subject: subject) }
        var sealed: [UInt8] = []
        sealed.reserveCapacity(4 + combined.count)
        withUnsafeBytes(of: version.bigEndian) { sealed.append(contentsOf: $0) }
        sealed.append(contentsOf: combined)
        return sealed
    }

    /// Opens what `seal` made for the same place.
    package func open(_ sealed: [UInt8], table: String, column: String, row: String)
        throws(KeyError) -> [UInt8]
    {
        let subject = "\(table).\(column) of \"\(row)\""
        guard sealed.count >= 32 else { throw KeyError.malformedSeal(subject: subject) }
        let version = sealed[..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard let key = keys[version] else {
            throw KeyError.unknownVersion(subject: subject, version: version)
        }
        let place = Self.place(table: table, column: column, row: row, version: version)
        guard let box = try? AES.GCM.SealedBox(combined: sealed[4...]),
            let bytes = try? AES.GCM.open(box, using: key, authenticating: place)
        else { throw KeyError.notAuthentic(subject: subject) }
        return Array(bytes)
    }

    /// Seals to base64, for TEXT columns.
    package func sealText(_ bytes: [UInt8], table: String, column: String, row: String)
        throws(KeyError) -> String
    {
        Data(try seal(bytes, table: table, column: column, row: row)).base64EncodedString()
    }

    /// Opens what `sealText` made for the same place.
    package func openText(_ text: String, table: String, column: String, row: String)
        throws(KeyError) -> [UInt8]
    {
        guard let sealed = Data(base64Encoded: text) else {
            throw KeyError.malformedSeal(subject: "\(table).\(column) of \"\(row)\"")
        }
        return try open(Array(sealed), table: table, column: column, row: row)
    }

    /// The additional data: `table|column|row|version`. Table and column are names of ours
    /// without a bar, so that no two places give the same text.
    private static func place(table: String, column: String, row: String, version: UInt32)
        -> Data
    {
        Data("\(table)|\(column)|\(row)|\(version)".utf8)
    }
}
