// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// What `--describe` prints: the scheduler's registry is built from it.
enum TypeDescription {
    static func json(class taskClass: TaskClass, types: [any ScheduledTask.Type]) -> JSONValue {
        [
            "class": .string(taskClass.name),
            "types": .array(types.map { json($0) }),
        ]
    }

    private static func json<Task: ScheduledTask>(_ type: Task.Type) -> JSONValue {
        [
            "id": .string(Task.id),
            "summary": .string(Task.summary),
            "capabilities": .array(Task.capabilities.map { .string($0.name) }),
            "timeout": seconds(Task.timeout),
            "config": .array(Task.Config.fields.map(\.json)),
        ]
    }

    private static func seconds(_ duration: Duration) -> JSONValue {
        let (seconds, attoseconds) = duration.components
        return attoseconds == 0 ? .int(Int(seconds)) : .double(duration / .seconds(1))
    }
}
