// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoWire
import Glibc

/// The one call of a worker executable.
public enum WorkerMain {
    /// Prints the types with `--describe`, else runs the class's worker until it is ended.
    public static func run(class taskClass: TaskClass, types: [any ScheduledTask.Type]) -> Never {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.elementsEqual(["--describe"]) {
            print(TypeDescription.json(class: taskClass, types: types).text())
            exit(0)
        }
        exit(2)
    }
}
