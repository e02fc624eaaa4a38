// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AgencyTasks
import AicoCore
import AicoScheduler
import Glibc
import LinuxSystem
import MaintenanceTasks
import AicoProfilec
import SecurityTasks
import TaskKit
import UserTasks

// All that runs without root, in one file: it is the program by whose name it is called, so that
// the processes share what they have in memory. See docs/decisions/0022-one-file-many-programs.md.
let arguments = CommandLine.arguments
let name = String((arguments.first ?? "").split(separator: "/").last ?? "")
switch name {
case "aico-scheduler":
    // By hand, as for `--check`; the supervisor opens all three.
    StandardDescriptors.openMissing()
    exit(SchedulerProgram.run(arguments))
case "aico-profilec":
    StandardDescriptors.openMissing(failing: true)
    exit(ProfilecProgram.run(arguments))
case "aico-worker-maintenance": WorkerMain.run(class: .maintenance, types: MaintenanceTasks.types)
case "aico-worker-security": WorkerMain.run(class: .security, types: SecurityTasks.types)
case "aico-worker-agency": WorkerMain.run(class: .agency, types: AgencyTasks.types)
case "aico-worker-user": WorkerMain.run(class: .user, types: UserTasks.types)
default:
    let text = Array(
        ("aico-multicall: '\(name)' is none of its programs: aico-scheduler, aico-profilec, "
            + "aico-worker-maintenance, -security, -agency and -user; call it by a link of that "
            + "name, as scripts/link-programs makes\n").utf8)
    _ = write(STDERR_FILENO, text, text.count)
    exit(64)
}
