// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// What a class's canary needs of its profile: without it the class takes no orders.
enum Proof {
    private static let calls = ["capget", "recvmsg", "sendmsg", "openat", "close"]
    private static let arguments: [(NamedArgument, [String])] = [
        (.prctl, ["PR_GET_SECCOMP", "PR_GET_NO_NEW_PRIVS", "PR_CAPBSET_READ"]),
        (.fcntl, ["F_GETFD"]),
    ]
    /// The call that must end the canary.
    private static let last = "unshare"

    /// Each thing that is missing or in the way, in words.
    static func lacks(of profile: Profile) -> [String] {
        func words(_ what: String) -> String {
            "class \(profile.taskClass.name) would fail its canary and take no orders: \(what)"
        }
        let grants = profile.syscalls
        var lacks: [String] = []
        for call in calls where !grants.allowed.contains(call) {
            lacks.append(words("its canary needs '\(call)' under 'allow', as in runtime.yaml"))
        }
        for (argument, names) in arguments {
            for name in names {
                guard let number = argument.values[name],
                    grants.arguments[argument]?.contains(number) != true
                else { continue }
                lacks.append(
                    words(
                        "its canary needs '\(name)' under '\(argument.rawValue)', as in "
                            + "runtime.yaml"))
            }
        }
        if grants.refused.union(grants.unavailable).contains(last) {
            let place = profile.places[last].map { " (\($0))" } ?? ""
            lacks.append(words("'\(last)' must stand in no list\(place): it has to end its canary"))
        }
        return lacks
    }
}
