// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Where an instance has its directories on the host.
package struct InstancePaths: Sendable, Equatable {
    /// The instance's root; empty for an installed system.
    package var root: String
    /// The directory of the executables, which a mere check does not show below the root.
    package var executables: String
    /// The directory of the profiles, likewise.
    package var profiles: String

    /// Makes paths; all but an empty root must be absolute.
    package init(root: String, executables: String, profiles: String) {
        self.root = root
        self.executables = executables
        self.profiles = profiles
    }

    /// Finds a directory's place on the host.
    package func host(_ directory: InstanceDirectory) -> String {
        switch directory {
        case .executables: executables
        case .profiles: profiles
        default: directory.path(under: root)
        }
    }
}
