// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import LinuxSystem
import Synchronization
import SystemPackage

/// Reads time zones from the host's database once and keeps them.
package enum TimeZoneStore {
    /// The directory of the host's compiled time zones.
    package static let directory = "/usr/share/zoneinfo"

    /// The largest accepted file; the largest of tzdata 2025 has 4 KiB.
    static let maximumBytes = 256 * 1024

    private static let cache = Mutex<[String: ZoneRules]>([:])

    /// Gives a zone by its IANA name, as `Europe/Berlin`; `UTC` needs no file.
    package static func load(_ name: String) throws(TimeZoneError) -> ZoneRules {
        if name == "UTC" { return .utc }
        if let known = cache.withLock({ $0[name] }) { return known }
        guard isWellFormed(name) else {
            throw TimeZoneError(
                name: name, reason: "it is not of the form Area/City",
                hint: "write a name such as Europe/Berlin or UTC")
        }
        let zone = try read(name)
        cache.withLock { $0[name] = zone }
        return zone
    }

    /// Whether a name can only lead to a file below the directory.
    private static func isWellFormed(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard name.utf8.count <= 64, (1...3).contains(parts.count) else { return false }
        return parts.allSatisfy { part in
            guard let first = part.utf8.first, (0x41...0x5A).contains(first & 0xDF) else {
                return false
            }
            return part.utf8.allSatisfy { byte in
                (0x41...0x5A).contains(byte & 0xDF) || (0x30...0x39).contains(byte)
                    || byte == 0x5F || byte == 0x2D || byte == 0x2B
            }
        }
    }

    private static func read(_ name: String) throws(TimeZoneError) -> ZoneRules {
        let path = directory + "/" + name
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try File(reading: path, followingLink: true).bytes(limit: maximumBytes)
        } catch {
            // A directory, as Europe, is no zone either.
            guard error.errno == .noSuchFileOrDirectory || error.operation == "use" else {
                throw TimeZoneError(name: name, reason: error.reason, hint: "look at \(path)")
            }
            guard (try? FileStatus(following: directory)) != nil else {
                throw TimeZoneError(
                    name: name, reason: "\(directory) is missing", hint: "apt install tzdata")
            }
            throw TimeZoneError(
                name: name, reason: "there is no such zone in \(directory)",
                hint: suggestion(for: name))
        }
        do {
            return try ZoneRules(name: name, tzif: bytes)
        } catch {
            throw TimeZoneError(
                name: name, reason: error.reason, hint: "reinstall tzdata, or use another zone")
        }
    }
}
