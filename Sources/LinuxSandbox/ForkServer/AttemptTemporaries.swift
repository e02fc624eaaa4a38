// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import LinuxSystem
import SystemPackage

/// The directories below a `/tmp` that attempts of a class share: one for each, in which Landlock
/// keeps it.
final class AttemptTemporaries {
    private let path: String
    private let top: Directory
    private var count: UInt64 = 0
    /// Left by attempts that ended, and not empty.
    private var left: [String] = []

    /// Nil where every attempt has a `/tmp` of its own, or none is there.
    init?(_ plan: Plan) {
        guard !plan.hasUserNamespace,
            let mount = plan.mounts.first(where: { $0.kind == .temporary }),
            let opened = try? Directory(mount.target)
        else { return nil }
        path = mount.target
        top = opened
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
        let opened = try Descriptor(.open) { aico_temporary_make(top.descriptor.number, name) }
        return Entry(name: name, path: "\(path)/\(name)", descriptor: opened)
    }

    /// Removes a directory of an attempt that ended: at once where it is empty, else with the next
    /// sweep.
    func leave(_ name: String) {
        if (try? top.remove(name, isDirectory: true)) == nil { left.append(name) }
    }

    /// Removes what was left, whatever is in it; whether all is gone.
    func sweep() -> Bool {
        left.removeAll { aico_temporary_remove(top.descriptor.number, $0) == 0 }
        return left.isEmpty
    }
}
