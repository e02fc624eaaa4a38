// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Simulation

exit(CommandLineTool.run(Array(CommandLine.arguments.dropFirst())))
