// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// The uid and gid of each unprivileged process.
package struct UserIdentities: Sendable, Equatable {
    /// One uid with its gid.
    package struct Identity: Sendable, Equatable {
        /// The uid; never 0.
        package var userID: UInt32
        /// The gid; never 0.
        package var groupID: UInt32

        package init(userID: UInt32, groupID: UInt32) {
            self.userID = userID
            self.groupID = groupID
        }
    }

    /// The scheduler's.
    package var scheduler: Identity
    /// That of the compiler of profiles.
    package var compiler: Identity
    private var classes: [TaskClass: Identity]

    /// Makes identities; nil where a class has none, one is root's, or two share a uid.
    package init?(scheduler: Identity, compiler: Identity, classes: [TaskClass: Identity]) {
        let all = [scheduler, compiler] + TaskClass.allCases.compactMap { classes[$0] }
        guard all.count == TaskClass.allCases.count + 2,
            all.allSatisfy({ $0.userID != 0 && $0.groupID != 0 }),
            all.allSatisfy({ $0.userID != .max && $0.groupID != .max }),
            Set(all.map(\.userID)).count == all.count
        else { return nil }
        self.scheduler = scheduler
        self.compiler = compiler
        self.classes = classes
    }

    /// The identity of a class's worker and tasks.
    package subscript(_ taskClass: TaskClass) -> Identity {
        // Every class has one: `init` made sure.
        classes[taskClass] ?? scheduler
    }

    /// Scheduler, maintenance, security, agency, user, compiler: uid and gid of each, UInt32, little
    /// endian.
    package var encoded: [UInt8] {
        let all = [scheduler] + TaskClass.allCases.map { self[$0] } + [compiler]
        return all.flatMap { [$0.userID, $0.groupID] }.flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
        }
    }
}
