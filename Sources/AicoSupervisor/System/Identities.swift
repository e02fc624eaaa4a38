// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// The users of the system as `aico-profilec --identities` gives them.
struct Identities: Equatable {
    /// A uid with its gid; neither is 0.
    struct Identity: Equatable {
        var user: UInt32
        var group: UInt32

        static let root = Identity(user: 0, group: 0)
        /// Of the compiler while it reads who it is: the number of the settings as they are shipped.
        /// Not nobody: a program that shares its uid could decide for it.
        static let unknown = Identity(user: 61005, group: 61005)
    }

    var scheduler: Identity
    var compiler: Identity
    private var classes: [Identity]

    /// 6 pairs of UInt32.
    static let encodedSize = 48

    /// Decodes exactly 48 bytes; nil for 0, for (UInt32)-1, or where two share a uid.
    init?(decoding bytes: [UInt8]) {
        guard bytes.count == Self.encodedSize else { return nil }
        let words = stride(from: 0, to: bytes.count, by: 4).map { offset in
            (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
        }
        guard !words.contains(0), !words.contains(.max) else { return nil }
        let all = stride(from: 0, to: words.count, by: 2).map {
            Identity(user: words[$0], group: words[$0 + 1])
        }
        guard Set(all.map(\.user)).count == all.count else { return nil }
        scheduler = all[0]
        classes = Array(all[1..<all.count - 1])
        compiler = all[all.count - 1]
    }

    subscript(_ taskClass: TaskClass) -> Identity { classes[Int(taskClass.rawValue)] }

    /// Of whom the table of directories names.
    subscript(_ holder: InstanceDirectory.Holder) -> Identity {
        switch holder {
        case .root: .root
        case .scheduler: scheduler
        case .taskClass(let taskClass): self[taskClass]
        }
    }
}
