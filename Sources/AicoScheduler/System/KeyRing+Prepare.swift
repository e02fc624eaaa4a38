// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoKeys
import AicoStore
import LinuxSystem
import SystemPackage

extension KeyRing {
    /// Reads the master key; it is made only with the database, at the first start.
    static func prepare(layout: InstanceLayout) throws(KeyError) -> KeyRing {
        // One that cannot be looked at counts as one: its key is not made anew.
        var isFirst = false
        do throws(Errno) {
            _ = try FileStatus(following: layout.database)
        } catch {
            isFirst = error == .noSuchFileOrDirectory
        }
        return try KeyRing.open(directory: layout.keys, createIfMissing: isFirst)
    }

    /// Says why the master key of a database would stop the start; makes nothing.
    static func problem(layout: InstanceLayout) -> KeyError? {
        guard (try? FileStatus(following: layout.database)) != nil else { return nil }
        do throws(KeyError) {
            let ring = try KeyRing.open(directory: layout.keys, createIfMissing: false)
            guard ring.isForeign(toDatabase: layout.database) else { return nil }
            return .masterKeyWrong(path: "\(layout.keys)/master.key", database: layout.database)
        } catch {
            return error
        }
    }
}
