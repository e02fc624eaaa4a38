// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox

/// A worker to be started, as `ClassLauncher` has it.
struct WorkerLaunch {
    var plan: CheckedPlan
    /// The directory of its sockets.
    var endpoints: String
    var cgroups: WorkerCgroups
    /// As the class sees it.
    var executable: String
    /// Becomes its standard output and error.
    var log: Int32
    /// Of directories that the class owns, by their paths.
    var modes: [String: UInt32]
    /// Whether it may be shown what the links of a grant lead to.
    var permit: GrantKeeper.Permit
    /// Which calls the keeper of its grants may make.
    var keeperFilter: [FilterInstruction]
}
