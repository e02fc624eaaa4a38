// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem

/// The directories below `run` as they were made. A system whose runtime directory is taken away
/// can launch nothing and be reached by nobody: it ends, and does not try again for ever.
struct RuntimeDirectories: ~Copyable {
    private let root: Directory
    private let made: [(path: String, status: FileStatus)]

    /// Takes note of those of a layout.
    static func note(
        root path: String, entries: [Layout.Entry]
    ) throws(SupervisorError) -> RuntimeDirectories {
        do throws(SystemError) {
            let root = try Directory(path.isEmpty ? "/" : path)
            var made: [(path: String, status: FileStatus)] = []
            for entry in entries where entry.path.hasPrefix("run/") {
                made.append((entry.path, try root.directory(entry.path).status()))
            }
            return RuntimeDirectories(root: root, made: made)
        } catch {
            throw SupervisorError(error)
        }
    }

    /// What is gone by now, or another's in its place; nil where all stand.
    ///
    /// Where it cannot be looked at for another reason (no descriptor is left, say) nothing is known.
    func findMissing() -> SupervisorError? {
        for (path, before) in made {
            do throws(SystemError) {
                let now = try root.directory(path).status()
                if now.inode == before.inode, now.device == before.device { continue }
            } catch {
                guard error.isMissing || error.isLink else { continue }
            }
            return SupervisorError(
                operation: "go on without", subject: "\(root.path)/\(path)",
                reason: .invalid("it was removed or replaced while the system ran; start it again"))
        }
        return nil
    }
}
