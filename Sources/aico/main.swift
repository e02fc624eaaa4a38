// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCommands
import Glibc
import LinuxSystem

// An output that is closed is an error, and never the number of a socket of ours.
StandardDescriptors.openMissing(failing: true)
let words = (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0] }
exit(
    CommandRunner.run(
        bytes: words.map { word in
            Array(UnsafeRawBufferPointer(start: word, count: strlen(word)))
        }))
