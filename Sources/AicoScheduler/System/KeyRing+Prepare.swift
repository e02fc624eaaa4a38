// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoKeys
import Glibc

extension KeyRing {
    /// Reads the master key; it is made only with the database, at the first start.
    static func prepare(layout: InstanceLayout) throws(KeyError) -> KeyRing {
        let isFirst = access(layout.database, F_OK) != 0 && errno == ENOENT
        return try KeyRing.open(directory: layout.keys, createIfMissing: isFirst)
    }

    /// Says why the master key of a database would stop the start; makes nothing.
    static func problem(layout: InstanceLayout) -> KeyError? {
        guard access(layout.database, F_OK) == 0 else { return nil }
        do throws(KeyError) {
            _ = try KeyRing.open(directory: layout.keys, createIfMissing: false)
            return nil
        } catch {
            return error
        }
    }
}
