// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc

extension UserIdentities {
    /// User names of an installed system; gids are those of the password file.
    static let schedulerName = "aico"
    static let compilerName = "aico-profilec"

    /// Looks the users of an installed system up.
    package static func installed() throws(ConfigurationError) -> UserIdentities {
        let scheduler = try lookUp(schedulerName)
        var classes: [TaskClass: Identity] = [:]
        for taskClass in TaskClass.allCases {
            classes[taskClass] = try lookUp(taskClass.userName)
        }
        guard
            let identities = UserIdentities(
                scheduler: scheduler, compiler: try lookUp(compilerName), classes: classes)
        else {
            throw ConfigurationError(
                file: passwordFile, line: 0,
                reason: "the users of the system must differ, and none may be root")
        }
        return identities
    }

    private static let passwordFile = "/etc/passwd"

    private static func lookUp(_ name: String) throws(ConfigurationError) -> Identity {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        let code = getpwnam_r(name, &entry, &buffer, buffer.count, &found)
        guard code == 0, found != nil else {
            throw ConfigurationError(
                file: passwordFile, line: 0,
                reason: "user '\(name)' does not exist; type: sudo make install, or name "
                    + "another root with --root")
        }
        return Identity(userID: entry.pw_uid, groupID: entry.pw_gid)
    }
}

extension Configuration {
    /// The users that the settings name by number, else those of the installed system.
    package func resolvedIdentities() throws(ConfigurationError) -> UserIdentities {
        if let identities { return identities }
        return try UserIdentities.installed()
    }
}
