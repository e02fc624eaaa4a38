// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox

extension InstancePaths {
    /// Where a granted path of the host comes from: for the files in which a class finds itself,
    /// which the supervisor writes, from the runtime directory.
    func source(of path: String, for taskClass: TaskClass) -> String {
        ["/etc/passwd", "/etc/group", "/etc/hosts"].contains(path)
            ? path.replacing("/etc", with: host(.files(of: taskClass)), maxReplacements: 1) : path
    }

    /// Whether a host path lies in, or contains, a part of the instance.
    func overlaps(_ path: String) -> Bool {
        InstanceDirectory.all.contains {
            let part = $0.path(under: root)
            return isBeneath(path, part) || isBeneath(part, path)
        }
    }
}
