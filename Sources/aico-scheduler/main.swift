// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoScheduler
import Glibc
import LinuxSystem

// By hand, as for `--check`; the supervisor opens all three.
StandardDescriptors.openMissing()
exit(SchedulerProgram.run(CommandLine.arguments))
