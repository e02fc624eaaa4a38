// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Capabilities
import LinuxSandbox

/// The most that a profile may grant to its class, whatever its file says.
struct ClassCeiling {
    var capabilities: CapabilitySet
    var readable: Set<InstanceDirectory>
    var writable: Set<InstanceDirectory>
    /// Whether directories outside /usr and /etc may be declared.
    var declaresHostPaths: Bool
    var execute: Bool
    var children: Bool
    var hasUserNamespace: Bool

    /// DESIGN section 4's table.
    init(_ taskClass: TaskClass) {
        switch taskClass {
        case .maintenance:
            self.init(
                capabilities: [.dacReadSearch], readable: [.bus],
                writable: [.store, .logs], hasUserNamespace: false)
        case .security:
            self.init(
                capabilities: [.dacReadSearch],
                readable: [.keys, .profiles, .integrity, .executables], writable: [],
                hasUserNamespace: false)
        case .agency:
            self.init(
                capabilities: [], readable: [], writable: [.memory, .learning],
                hasUserNamespace: true)
        case .user:
            self.init(
                capabilities: [], readable: [], writable: [.work], declaresHostPaths: true,
                execute: true, children: true, hasUserNamespace: true)
        }
    }

    private init(
        capabilities: CapabilitySet, readable: Set<InstanceDirectory>,
        writable: Set<InstanceDirectory>, declaresHostPaths: Bool = false, execute: Bool = false,
        children: Bool = false, hasUserNamespace: Bool
    ) {
        self.capabilities = capabilities
        self.readable = readable.union(writable)
        self.writable = writable
        self.declaresHostPaths = declaresHostPaths
        self.execute = execute
        self.children = children
        self.hasUserNamespace = hasUserNamespace
    }
}
