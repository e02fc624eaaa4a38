// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

@testable import AicoSupervisor

/// The passwd, group and hosts of a class.
@Suite struct ClassFilesTests {
    private static let identity = Identities.Identity(user: 61004, group: 62004)

    private func text(_ name: String, _ taskClass: TaskClass, host: String) -> String {
        String(
            decoding: ClassFiles.text(
                name, of: taskClass, identity: Self.identity, host: Array(host.utf8)),
            as: UTF8.self)
    }

    @Test func theClassStandsBeforeTheHostsUsers() {
        #expect(
            text("passwd", .user, host: "alice:x:1000:1000::/home/alice:/bin/bash\n")
                == "aico-user:x:61004:62004:AICO Task Supervisor:/aico/work:/bin/sh\n"
                + "alice:x:1000:1000::/home/alice:/bin/bash\n")
        #expect(
            text("group", .agency, host: "staff:x:50:\n")
                == "aico-agency:x:62004:\nstaff:x:50:\n")
        #expect(
            text("passwd", .agency, host: "")
                == "aico-agency:x:61004:62004:AICO Task Supervisor:/nonexistent:/usr/sbin/nologin\n"
        )
    }

    @Test func hostsHaveNothingOfTheHosts() {
        let text = text("hosts", .user, host: "10.0.0.7 secret.internal\n")
        #expect(text.contains("127.0.0.1\tlocalhost\n"))
        #expect(!text.contains("secret"))
    }
}
