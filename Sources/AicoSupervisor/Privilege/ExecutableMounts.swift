// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux

/// Shows executables and profiles at a place that every user of the system can reach.
///
/// A checkout below a home directory is closed to others than its owner; copies would cost the
/// start its speed. The mounts are in a namespace of the supervisor's own and go with it.
enum ExecutableMounts {
    /// Leaves the host's mount namespace and shows both directories below the runtime directory.
    static func show(
        executables: String, profiles: String, root: String
    ) throws(SupervisorError) -> (executables: String, profiles: String) {
        guard aico_leave_mount_namespace() == 0 else {
            throw .system("leave", "mount namespace of the host")
        }
        let shown = (
            InstanceDirectory.executables.path(under: root),
            InstanceDirectory.profiles.path(under: root)
        )
        try show(executables, at: shown.0)
        try show(profiles, at: shown.1)
        return shown
    }

    private static func show(_ source: String, at target: String) throws(SupervisorError) {
        guard aico_show_directory(source, target) == 0 else {
            throw .system("show at \(target)", source)
        }
    }
}
