// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
import AicoCore
import LinuxSandbox
import SandboxProfiles
for c in TaskClass.allCases {
    let paths = InstancePaths(
        state: "/r/var/lib/aico", runtime: "/r/run/aico", logs: "/r/var/log/aico",
        executables: "/b", profiles: CommandLine.arguments[1])
    let ids = ClassIdentities(
        Dictionary(
            uniqueKeysWithValues: TaskClass.allCases.map {
                ($0, .init(userID: 61001 + UInt32($0.rawValue), groupID: 61001))
            }))
    do {
        let p = try ProfileCompiler.compile(
            class: c, profilesDirectory: CommandLine.arguments[1], paths: paths, identities: ids)
        print(c, p.taskFilter.count, p.workerFilter.count, p.mounts.count, p.landlockRules.count)
    } catch { print(error) }
}
