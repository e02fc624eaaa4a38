// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Capabilities
import LinuxSandbox

/// The most that a profile may grant to its class, whatever its file says, beside the directories
/// of the instance (`InstanceDirectory`).
struct ClassCeiling {
    var capabilities: CapabilitySet
    /// Whether directories outside /usr and /etc may be declared.
    var declaresHostPaths: Bool
    var execute: Bool
    var children: Bool
    var hasUserNamespace: Bool

    /// DESIGN section 4's table.
    init(_ taskClass: TaskClass) {
        switch taskClass {
        case .maintenance, .security:
            self.init(capabilities: [.dacReadSearch], hasUserNamespace: false)
        case .agency:
            self.init(capabilities: [], hasUserNamespace: true)
        case .user:
            self.init(
                capabilities: [], declaresHostPaths: true, execute: true, children: true,
                hasUserNamespace: true)
        }
    }

    private init(
        capabilities: CapabilitySet, declaresHostPaths: Bool = false, execute: Bool = false,
        children: Bool = false, hasUserNamespace: Bool
    ) {
        self.capabilities = capabilities
        self.declaresHostPaths = declaresHostPaths
        self.execute = execute
        self.children = children
        self.hasUserNamespace = hasUserNamespace
    }
}
