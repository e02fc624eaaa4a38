// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import LinuxSystem
import SystemPackage

/// A process that could not be launched.
package struct LaunchError: Error, Equatable, CustomStringConvertible {
    /// The layer that the kernel refused.
    package var layer: Layer
    /// Why.
    package var errno: Int32
    /// The mount, path or capability it was refused at; may be empty.
    package var detail: String
    /// The process, killed, that could not be reaped yet: it hangs in a call. The caller reaps it
    /// and closes its pidfd.
    package var left: LaunchedProcess?

    /// One line, as `layer mounts refused at '/srv/x': No such file or directory`.
    package var description: String {
        let place = detail.isEmpty ? "" : " at '\(detail)'"
        return "layer \(layer.name) refused\(place): \(Errno.words(errno))"
    }

    package init(layer: Layer, errno: Int32, detail: String) {
        self.layer = layer
        self.errno = errno
        self.detail = detail
    }

    init(_ failure: aico_launch_failure, mounts: [PlanMount], executable: String) {
        layer = Layer(rawValue: UInt8(truncatingIfNeeded: failure.layer)) ?? .session
        errno = failure.error
        let index = Int(failure.index)
        if layer == .mounts, mounts.indices.contains(index) {
            let mount = mounts[index]
            detail = mount.source.isEmpty ? mount.target : mount.source
        } else if layer == .descriptors, index == AICO_LAUNCH_EXEC {
            detail = executable
        } else {
            detail = "step \(failure.step)"
        }
    }
}
