// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoSupervisor
import Glibc

exit(SupervisorProgram.run(CommandLine.arguments))
