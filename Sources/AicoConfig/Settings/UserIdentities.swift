// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore

/// The uid and gid of each unprivileged process.
public struct UserIdentities: Sendable, Equatable {
    /// One uid with its gid.
    public struct Identity: Sendable, Equatable {
        /// The uid; never 0.
        public var userID: UInt32
        /// The gid; never 0.
        public var groupID: UInt32

        /// Makes an identity.
        public init(userID: UInt32, groupID: UInt32) {
            self.userID = userID
            self.groupID = groupID
        }
    }

    /// The scheduler's.
    public var scheduler: Identity
    /// That of the compiler of profiles.
    public var compiler: Identity
    private var classes: [TaskClass: Identity]

    /// Makes identities; nil where a class has none, one is root's, or two share a uid.
    public init?(scheduler: Identity, compiler: Identity, classes: [TaskClass: Identity]) {
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
    public subscript(_ taskClass: TaskClass) -> Identity {
        // Every class has one: `init` made sure.
        classes[taskClass] ?? scheduler
    }

    /// Scheduler, maintenance, security, agency, user, compiler: uid and gid of each, UInt32, little
    /// endian.
    public var encoded: [UInt8] {
        let all = [scheduler] + TaskClass.allCases.map { self[$0] } + [compiler]
        return all.flatMap { [$0.userID, $0.groupID] }.flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
        }
    }
}
