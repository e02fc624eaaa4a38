// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CFaultyVFS

/// A directory whose SQLite files fail as told and forget, when power is lost, what was not synced.
///
/// Works for whatever opens a database below it in this process with the default VFS, as GRDB does;
/// databases elsewhere are as ever. The first disk has to be made before they are opened.
package final class FaultyDisk: Sendable {
    /// What SQLite asks of a disk.
    package enum Call: Int32, Sendable, CaseIterable {
        case open, read, write, sync, truncate, delete, lock
        /// Shared memory beside the database.
        case sharedMemory
    }

    private let number: Int32

    /// Puts the VFS in front and makes a disk of a directory that exists.
    ///
    /// Ends the process where SQLite refuses, or for more than 256 disks at a time.
    package init(directory: String) {
        precondition(aico_faulty_vfs_install() == 0, "SQLite takes no VFS")
        number = aico_disk_make(directory)
        precondition(number >= 0, "no disk can be made of \(directory)")
    }

    deinit { aico_disk_end(number) }

    /// Lets calls fail, up to 16 rules at a time.
    ///
    /// - Parameters:
    ///   - call: which.
    ///   - nth: the first one that fails; 1 is the next.
    ///   - times: how many in a row; nil for all.
    ///   - code: SQLite's extended result code.
    ///   - kept: so many bytes of a failing write are written all the same.
    package func fail(
        _ call: Call, nth: Int = 1, times: Int? = 1, code: Int32, keeping kept: Int = 0
    ) {
        aico_disk_fail(
            number, call.rawValue, Int64(nth), times.map(Int64.init) ?? -1, code, Int32(kept))
    }

    /// Lets calls fail by chance, the same ones for the same seed and calls.
    package func failSometimes(seed: UInt64, perMillion: UInt32) {
        aico_disk_fail_sometimes(number, seed, perMillion)
    }

    /// Ends all failing.
    package func heal() { aico_disk_heal(number) }

    /// Undoes what was not synced, and makes open files useless until they are closed.
    ///
    /// - Parameter seed: some of what was not synced survives, in part or whole; nil for none.
    package func losePower(seed: UInt64? = nil) {
        aico_disk_lose_power(number, seed.map { $0 == 0 ? 1 : $0 } ?? 0)
    }

    /// Lets files be opened again.
    ///
    /// - Returns: how many are still open from before; power stays off unless it is 0.
    @discardableResult
    package func restorePower() -> Int { Int(aico_disk_restore_power(number)) }

    /// How many calls there were of a kind.
    package func count(_ call: Call) -> Int { Int(aico_disk_calls(number, call.rawValue)) }

    /// How many calls failed.
    package var faults: Int { Int(aico_disk_faults(number)) }
}
