// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCommands
import Glibc
import LinuxSystem

// An output that is closed is an error, and never the number of a socket of ours.
StandardDescriptors.openMissing(failing: true)
exit(CommandRunner.run(Array(CommandLine.arguments.dropFirst())))
