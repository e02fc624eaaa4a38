// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// The uid and gid of each class.
package struct ClassIdentities: Sendable, Equatable {
    /// One class's numbers.
    package struct Identity: Sendable, Equatable {
        /// The uid.
        package var userID: UInt32
        /// The gid.
        package var groupID: UInt32

        package init(userID: UInt32, groupID: UInt32) {
            self.userID = userID
            self.groupID = groupID
        }
    }

    private var byClass: [TaskClass: Identity]

    /// Makes identities; every class must have one.
    package init(_ byClass: [TaskClass: Identity]) {
        self.byClass = byClass
    }

    /// The identity of a class.
    package subscript(_ taskClass: TaskClass) -> Identity? { byClass[taskClass] }

    /// Whether a uid belongs to a class.
    func contains(userID: UInt32) -> Bool {
        byClass.values.contains { $0.userID == userID }
    }
}
