// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoScheduler
import Glibc

exit(SchedulerProgram.run(CommandLine.arguments))
