// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension AttemptExit {
    /// What is kept of it with the attempt, readable in the store: none of the task's own words, but for
    /// the names of processes that it left.
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "exit_code": .null, "signal": .null, "cause": cause.map(\.json) ?? .null,
            "usage": usage.json,
        ]
        if let leftBehind { members["left_behind"] = leftBehind.json }
        switch exit {
        case .exited(let code): members["exit_code"] = .int(Int(code))
        case .signaled(let signal): members["signal"] = .int(Int(signal))
        case .notStarted: break
        }
        return .object(members)
    }

    /// What went wrong, for people; nil where nothing did.
    package var message: String? {
        switch (cause, reply) {
        // The worker's words, which know the limit, or the path and how the task failed without.
        case (.outOfMemory, .failed(_, let message)), (.timedOut, .failed(_, let message)),
            (.layerRefused, .failed(_, let message)):
            return message
        case (let cause?, _): return cause.sentence
        case (nil, _): break
        }
        switch (exit, reply) {
        case (.exited, .failed(_, let message)), (.signaled, .failed(_, let message)):
            return message
        case (.exited(0), _): return nil
        case (.exited(let code), _): return "exit code \(code)"
        case (.signaled(let signal), _): return "killed by signal \(signal)"
        case (.notStarted, _): return "no process came to be"
        }
    }
}

extension EndCause {
    fileprivate var json: JSONValue {
        switch self {
        case .layerRefused(let failure):
            [
                "kind": "layer_refused", "layer": .string(failure.layer),
                "errno": .int(Int(failure.errno)), "message": .string(failure.detail),
            ]
        case .orderRefused: ["kind": "order_refused"]
        case .timedOut: ["kind": "timeout"]
        case .cancelled(let reason): ["kind": "cancelled", "message": .string("\(reason)")]
        case .outOfMemory: ["kind": "out_of_memory"]
        case .deniedSyscall(let name, let number, let arguments):
            [
                "kind": "denied_syscall", "syscall": .string(name), "number": .int(Int(number)),
                "arguments": .array(arguments.map { .int(Int(bitPattern: UInt($0))) }),
            ]
        case .protocolViolation: ["kind": "protocol_violation"]
        case .noPlace: ["kind": "no_place"]
        case .diedInSetUp: ["kind": "died_in_set_up"]
        }
    }

    fileprivate var sentence: String {
        switch self {
        case .layerRefused(let failure):
            "layer \(failure.layer) was refused with errno \(failure.errno)"
                + (failure.detail.isEmpty ? "" : " at \(failure.detail)")
        case .orderRefused(let message): message
        case .timedOut: "took longer than its time limit"
        case .cancelled(.requested): "cancelled"
        case .cancelled(.timeout): "took longer than its time limit"
        case .cancelled(.superseded): "a newer execution took its place"
        case .cancelled(.shutdown): "the system was stopped"
        case .outOfMemory: "used more memory than its limit"
        case .deniedSyscall(let name, _, let arguments):
            "called \(name)(\(arguments.map { "0x" + String($0, radix: 16) }.joined(separator: ", ")))"
                + ", which its profile denies"
        case .protocolViolation(let message), .noPlace(let message), .diedInSetUp(let message):
            message
        }
    }
}

extension ResourceUsage {
    fileprivate var json: JSONValue {
        [
            "wall": .seconds(wall), "user_cpu": .seconds(userCPU),
            "system_cpu": .seconds(systemCPU), "peak_memory_bytes": .count(peakMemoryBytes),
            "peak_processes": .count(peakProcesses),
            "process_limit_hits": .count(processLimitHits),
        ]
    }
}

extension LayerReport {
    /// The layers as JSON.
    package var json: JSONValue {
        [
            "held": .array(held.map { .string($0) }),
            "missing": .array(
                missing.map { failure in
                    [
                        "layer": .string(failure.layer), "errno": .int(Int(failure.errno)),
                        "detail": .string(failure.detail),
                    ]
                }),
        ]
    }
}
