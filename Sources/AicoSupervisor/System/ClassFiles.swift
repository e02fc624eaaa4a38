// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem

/// The files in which the programs of a class find themselves: passwd, group and hosts.
///
/// Written at each start below `run/aico/etc/<class>`. Users and groups are the host's, for the
/// names of files' owners, below the class's own, which may be none of them; hosts has nothing of
/// the host's. The host's text is copied, not read.
enum ClassFiles {
    static let names = ["passwd", "group", "hosts"]

    /// Users and groups of a host with a directory service are in no file: this is far above.
    private static let maximumBytes = 4 << 20

    /// The text of a class's file; `host` is that of the host's.
    static func text(
        _ name: String, of taskClass: TaskClass, identity: Identities.Identity, host: [UInt8]
    ) -> [UInt8] {
        let user = taskClass.userName
        switch name {
        case "passwd":
            let home = taskClass == .user ? "/aico/work" : "/nonexistent"
            let shell = taskClass == .user ? "/bin/sh" : "/usr/sbin/nologin"
            let line =
                "\(user):x:\(identity.user):\(identity.group):AICO Task Supervisor:"
                + "\(home):\(shell)\n"
            return Array(line.utf8) + host
        case "group": return Array("\(user):x:\(identity.group):\n".utf8) + host
        default:
            return Array(
                """
                127.0.0.1\tlocalhost
                ::1\tlocalhost ip6-localhost ip6-loopback
                127.0.1.1\taico

                """.utf8)
        }
    }

    /// The host's file; empty where it has none, which is no fault of the start.
    static func host(_ name: String) -> [UInt8] {
        (try? File(reading: "/etc/\(name)").bytes(limit: maximumBytes)) ?? []
    }
}
