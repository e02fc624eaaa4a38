// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Crypto
import FoundationEssentials
import Glibc
import SystemPackage

/// The master key and the versioned data keys that derive from it.
///
/// The master key is 32 random bytes in `master.key` of the keys directory (mode 0440). A data key
/// of version n is HKDF-SHA256 of it with the info text `aico data key n`, so that no data key
/// has to be stored.
package struct KeyRing: Sendable {
    /// The version that new values are sealed under.
    package let currentVersion: UInt32
    private let master: SymmetricKey
    /// What is needed for each value and each entry: to derive it costs more than to use it.
    private let currentKey: SymmetricKey
    private let auditKey: SymmetricKey

    /// Makes a ring from master key bytes, for tests and passphrase-derived keys.
    package init(masterKey: [UInt8], currentVersion: UInt32 = 1) {
        master = SymmetricKey(data: masterKey)
        self.currentVersion = currentVersion
        currentKey = Self.derived(Self.dataKeyInfo(currentVersion), from: master)
        auditKey = Self.derived("aico audit key", from: master)
    }

    /// Reads `master.key` of `directory`, or makes it where there is none.
    ///
    /// The directory must exist. Throws `KeyError.unsafeFile` where others may write the file or
    /// its directory, or everybody may read it, and `KeyError.masterKeyMissing` where it is missing
    /// and must not be made.
    ///
    /// - Parameter createIfMissing: false where a database exists: a new key would open nothing of
    ///   it, and what is stored under the new one would hide that.
    package static func open(
        directory: String, createIfMissing: Bool = true
    ) throws(KeyError) -> KeyRing {
        let path = directory + "/master.key"
        if let bytes = try KeyFile.read(path) { return try ring(bytes, path: path) }
        guard createIfMissing else { throw KeyError.masterKeyMissing(path: path) }
        var fresh = [UInt8](repeating: 0, count: 32)
        guard getentropy(&fresh, fresh.count) == 0 else {
            throw KeyError.file(
                operation: "draw random bytes for", path: path, errno: Errno(rawValue: errno))
        }
        _ = try KeyFile.create(path, bytes: fresh)
        // Whoever made it first: what stands on the disk is the key.
        guard let bytes = try KeyFile.read(path) else {
            throw KeyError.file(operation: "open", path: path, errno: .noSuchFileOrDirectory)
        }
        return try ring(bytes, path: path)
    }

    /// Gives the sealer of this ring.
    package var sealer: Sealer { Sealer(ring: self) }

    /// Computes the next link of the audit log's chain: HMAC-SHA256 over the previous link and
    /// the entry's fields, each with its length, under a key of its own.
    package func auditLink(previous: [UInt8], fields: [String]) -> [UInt8] {
        var hmac = HMAC<SHA256>(key: auditKey)
        hmac.update(data: Data(previous))
        for field in fields {
            let bytes = Array(field.utf8)
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hmac.update(data: $0) }
            hmac.update(data: Data(bytes))
        }
        return Array(hmac.finalize())
    }

    /// Derives the data key of a version; nil for a version the ring does not hold.
    func dataKey(version: UInt32) -> SymmetricKey? {
        guard version >= 1, version <= currentVersion else { return nil }
        guard version < currentVersion else { return currentKey }
        return Self.derived(Self.dataKeyInfo(version), from: master)
    }

    private static func dataKeyInfo(_ version: UInt32) -> String { "aico data key \(version)" }

    private static func derived(_ info: String, from master: SymmetricKey) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: master, info: Data(info.utf8), outputByteCount: 32)
    }

    private static func ring(_ bytes: [UInt8], path: String) throws(KeyError) -> KeyRing {
        guard bytes.count == 32 else {
            throw KeyError.malformedFile(
                path: path, reason: "has \(bytes.count) bytes in place of 32")
        }
        return KeyRing(masterKey: bytes)
    }
}
