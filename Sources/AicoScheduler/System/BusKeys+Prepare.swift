// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoKeys
import LinuxSystem
import SystemPackage
import ZeroMQ

extension BusKeys {
    /// The client that health checks come as.
    static let maintenanceClient = "maintenance"

    /// Reads the bus's keys, made at first start: the server's, an administrator's, and a viewer's
    /// for class maintenance, whose file is laid out where that class's root has it.
    ///
    /// Client key files that are not admitted are told as the keys' `problems`.
    static func prepare(layout: InstanceLayout) throws -> BusKeys {
        // Drawn before: the reader of the files takes no failing generator.
        let pairs = try (0..<2).map { _ in try pair() }
        var spare = pairs
        var keys = try BusKeys.open(directory: layout.keys) { spare.removeLast() }
        let path = "\(layout.clientKeys)/\(maintenanceClient).key"
        if isMissing(path) {
            try BusKeys.addClient(
                maintenanceClient, role: .viewer, pair: try pair(), server: keys.server,
                directory: layout.keys)
            keys.readClients(directory: layout.keys)
        }
        let target = "\(layout.runtime)/bus/maintenance.key"
        if keys.clients.contains(where: { $0.name == maintenanceClient }) {
            try layOut(path, at: target)
        } else {
            // It is among the problems; a health check says then that it has no key.
            try ReplacedFile.remove(target)
        }
        return keys
    }

    private static func pair() throws(ZeroMQError) -> CurvePair {
        let pair = try CurveKeyPair.generate()
        return CurvePair(publicKey: pair.publicKey, secretKey: pair.secretKey)
    }

    /// Copies a client's key file; the directory's group, which is maintenance's, may read it.
    private static func layOut(_ source: String, at target: String) throws(SchedulerError) {
        let bytes = try SchedulerError.telling { () throws(SystemError) in
            try File(reading: source).bytes(limit: 4096)
        }
        try ReplacedFile.write(bytes, to: target)
    }

    private static func isMissing(_ path: String) -> Bool {
        do throws(Errno) {
            _ = try FileStatus(following: path)
            return false
        } catch {
            return error == .noSuchFileOrDirectory
        }
    }
}
