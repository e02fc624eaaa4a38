// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// The directories below a `/tmp` that attempts of a class share: one for each, in which Landlock
/// keeps it.
final class AttemptTemporaries {
    private let path: String
    private let top: Descriptor
    private var count: UInt64 = 0
    /// Left by attempts that ended, and not empty.
    private var left: [String] = []

    /// Nil where every attempt has a `/tmp` of its own, or none is there.
    init?(_ plan: Plan) {
        guard !plan.hasUserNamespace,
            let mount = plan.mounts.first(where: { $0.kind == .temporary })
        else { return nil }
        let opened = open(mount.target, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { return nil }
        path = mount.target
        top = Descriptor(owning: opened)
    }

    /// An attempt's directory.
    final class Entry {
        let name: String
        /// To be set as TMPDIR.
        let path: String
        let descriptor: Descriptor

        fileprivate init(name: String, path: String, descriptor: consuming Descriptor) {
            self.name = name
            self.path = path
            self.descriptor = consume descriptor
        }
    }

    /// Makes a directory for the next attempt.
    func make() throws(Errno) -> Entry {
        count += 1
        let name = "attempt-\(count)"
        let opened = aico_temporary_make(top.number, name)
        guard opened >= 0 else { throw Errno(rawValue: errno) }
        return Entry(
            name: name, path: "\(path)/\(name)", descriptor: Descriptor(owning: opened))
    }

    /// Removes a directory of an attempt that ended: at once where it is empty, else with the next
    /// sweep.
    func leave(_ name: String) {
        guard unlinkat(top.number, name, AT_REMOVEDIR) != 0, errno != ENOENT else { return }
        left.append(name)
    }

    /// Removes what was left, whatever is in it; whether all is gone.
    func sweep() -> Bool {
        left.removeAll { aico_temporary_remove(top.number, $0) == 0 }
        return left.isEmpty
    }
}
