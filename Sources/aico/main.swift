// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCommands
import Glibc

exit(CommandRunner.run(Array(CommandLine.arguments.dropFirst())))
