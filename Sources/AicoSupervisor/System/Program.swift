// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSandbox
import LinuxSystem

/// A program that is started with no right but its uid.
struct Program {
    var path: String
    /// The words after the program's name.
    var arguments: [String]
    var identity: Identities.Identity
    /// Descriptors that become 3, 4, ...
    var descriptors: [Int32] = []
    /// Becomes standard output; nil keeps the supervisor's.
    var output: Int32?
    /// Becomes standard error; nil keeps the supervisor's.
    var errors: Int32?
    var entry: CgroupEntry?
    var filter: [FilterInstruction] = []
    /// Whether it has pid, ipc and network namespaces of its own.
    var isAlone = false

    /// Starts it; it ends with the supervisor.
    func launch(by privilege: any Privilege) throws(LaunchError) -> ChildProcess {
        // An allow-list of one: no LD_ or locale variable of the caller reaches a child.
        var launch = Launch(
            path: path, arguments: arguments, environment: ["PATH=/usr/bin:/bin"],
            userID: identity.user, groupID: identity.group)
        launch.entry = entry
        launch.descriptors = descriptors
        launch.output = output
        launch.errors = errors
        launch.filter = filter
        launch.isAlone = isAlone
        return ChildProcess(try privilege.start(launch))
    }
}
