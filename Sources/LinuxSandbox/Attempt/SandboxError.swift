// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import LinuxSystem
import SystemPackage

/// A sandbox operation of the worker's side that failed.
package struct SandboxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was tried, as `split off the fork server`.
    package var operation: String
    /// The layer that did not hold, where the failure belongs to one.
    package var layer: Layer?
    /// The errno of the refusing call.
    package var errno: Int32

    package init(operation: String, layer: Layer? = nil, errno: Int32) {
        self.operation = operation
        self.layer = layer
        self.errno = errno
    }

    /// One line: what failed and why.
    package var description: String {
        let place = layer.map { " (layer \($0.name))" } ?? ""
        return "cannot \(operation)\(place): \(Errno.words(errno))"
    }
}

/// A layer that its profile marks optional and that this attempt runs without.
package struct MissingLayer: Sendable, Equatable {
    /// The layer.
    package var layer: Layer
    /// Why it does not hold.
    package var errno: Int32
    /// The call that failed and on what.
    package var detail: String

    package init(layer: Layer, errno: Int32, detail: String) {
        self.layer = layer
        self.errno = errno
        self.detail = detail
    }
}
