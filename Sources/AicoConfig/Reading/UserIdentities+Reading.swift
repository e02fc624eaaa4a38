// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import StrictYAML

extension UserIdentities {
    init(_ section: SettingsSection) throws(YAMLFailure) {
        var taken: [UInt32: String] = [:]
        func identity(_ key: String) throws(YAMLFailure) -> Identity {
            let number = UInt32(try section.integer(key, 1...4_294_967_294))
            if let other = taken.updateValue(key, forKey: number) {
                throw try section[key].failure("'\(key)' has the number of '\(other)'")
            }
            return Identity(userID: number, groupID: number)
        }
        let scheduler = try identity("scheduler")
        var classes: [TaskClass: Identity] = [:]
        for taskClass in TaskClass.allCases {
            classes[taskClass] = try identity(taskClass.name)
        }
        let compiler = try identity("profilec")
        guard
            let identities = UserIdentities(
                scheduler: scheduler, compiler: compiler, classes: classes)
        else {
            throw section.value.failure("'identities' must name six different users")
        }
        self = identities
    }
}
