// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// Turns an ending alone into bytes and back, for the channel from fork server to worker.
package enum AttemptExitCodec {
    /// Encodes an ending; a result longer than `WireLimits.maximumBlobBytes` gives bytes that no
    /// decoder accepts.
    package static func encode(_ exit: AttemptExit) -> [UInt8] {
        var writer = WireWriter(capacity: 128)
        writer.attemptExit(exit)
        return writer.bytes
    }

    /// Decodes bytes; throws where a single byte is not as `encode` writes it.
    package static func decode(_ bytes: [UInt8]) throws(WireError) -> AttemptExit {
        var reader = try WireReader(bytes, subject: "attempt exit")
        let exit = try reader.attemptExit()
        try reader.finish()
        return exit
    }
}

private enum TaskReplyTag: UInt8 {
    case none = 0
    case succeeded = 1
    case failed = 2
}

private enum ExitTag: UInt8 {
    case notStarted = 0
    case exited = 1
    case signaled = 2
}

private enum CauseTag: UInt8 {
    case layerRefused = 1
    case orderRefused = 2
    case timedOut = 3
    case cancelled = 4
    case outOfMemory = 5
    case deniedSyscall = 6
    case protocolViolation = 7
    case noPlace = 8
    case diedInSetUp = 9
}

extension WireWriter {
    mutating func attemptExit(_ exit: AttemptExit) {
        switch exit.reply {
        case .none:
            byte(TaskReplyTag.none.rawValue)
        case .succeeded(let result):
            byte(TaskReplyTag.succeeded.rawValue)
            blob(result)
        case .failed(let permanent, let message):
            byte(TaskReplyTag.failed.rawValue)
            byte(permanent ? 1 : 0)
            text(message)
        }
        switch exit.exit {
        case .notStarted:
            byte(ExitTag.notStarted.rawValue)
        case .exited(let code):
            byte(ExitTag.exited.rawValue)
            integer(code)
        case .signaled(let signal):
            byte(ExitTag.signaled.rawValue)
            integer(signal)
        }
        optional(exit.cause) { $0.cause($1) }
        usage(exit.usage)
        optional(exit.leftBehind) {
            $0.integer($1.count)
            $0.list($1.names) { $0.text($1, limit: LeftBehind.maximumNameBytes) }
        }
    }

    mutating func failure(_ failure: LayerFailure) {
        text(failure.layer, limit: WireLimits.maximumNameBytes)
        integer(failure.errno)
        text(failure.detail, limit: WireLimits.maximumNameBytes)
    }

    private mutating func cause(_ cause: EndCause) {
        switch cause {
        case .layerRefused(let refused):
            byte(CauseTag.layerRefused.rawValue)
            failure(refused)
        case .orderRefused(let message):
            byte(CauseTag.orderRefused.rawValue)
            text(message)
        case .timedOut:
            byte(CauseTag.timedOut.rawValue)
        case .cancelled(let reason):
            byte(CauseTag.cancelled.rawValue)
            byte(reason.rawValue)
        case .outOfMemory:
            byte(CauseTag.outOfMemory.rawValue)
        case .deniedSyscall(let name, let number, let arguments):
            byte(CauseTag.deniedSyscall.rawValue)
            text(name, limit: WireLimits.maximumNameBytes)
            integer(number)
            list(Array(arguments.prefix(6))) { $0.integer($1) }
        case .protocolViolation(let message):
            byte(CauseTag.protocolViolation.rawValue)
            text(message)
        case .noPlace(let message):
            byte(CauseTag.noPlace.rawValue)
            text(message)
        case .diedInSetUp(let message):
            byte(CauseTag.diedInSetUp.rawValue)
            text(message)
        }
    }

    private mutating func usage(_ usage: ResourceUsage) {
        duration(usage.wall)
        duration(usage.userCPU)
        duration(usage.systemCPU)
        optional(usage.peakMemoryBytes) { $0.integer($1) }
        optional(usage.peakProcesses) { $0.integer($1) }
        integer(usage.processLimitHits)
    }
}

extension WireReader {
    mutating func attemptExit() throws(WireError) -> AttemptExit {
        AttemptExit(
            reply: try reply(), exit: try processExit(),
            cause: try optional("cause") { reader throws(WireError) in try reader.cause() },
            usage: try usage(),
            leftBehind: try optional("left behind") { reader throws(WireError) in
                try reader.leftBehind()
            })
    }

    private mutating func leftBehind() throws(WireError) -> LeftBehind {
        let count: UInt32 = try integer()
        let names = try list("left names") { reader throws(WireError) in
            try reader.text("left name", limit: LeftBehind.maximumNameBytes)
        }
        guard let left = LeftBehind(count: count, names: names) else {
            throw failure(.outOfRange(field: "left behind"))
        }
        return left
    }

    mutating func layerFailure() throws(WireError) -> LayerFailure {
        LayerFailure(
            layer: try text("layer", limit: WireLimits.maximumNameBytes),
            errno: try integer(),
            detail: try text("detail", limit: WireLimits.maximumNameBytes))
    }

    private mutating func reply() throws(WireError) -> TaskReply {
        switch try tag("reply", TaskReplyTag.self) {
        case .none: .none
        case .succeeded:
            .succeeded(result: try blob("result", limit: WireLimits.maximumBlobBytes))
        case .failed:
            .failed(permanent: try flag("permanent"), message: try text("message"))
        }
    }

    private mutating func processExit() throws(WireError) -> ProcessExit {
        switch try tag("exit status", ExitTag.self) {
        case .notStarted: .notStarted
        case .exited: .exited(code: try integer())
        case .signaled: .signaled(signal: try integer())
        }
    }

    private mutating func cause() throws(WireError) -> EndCause {
        switch try tag("cause", CauseTag.self) {
        case .layerRefused: .layerRefused(try layerFailure())
        case .orderRefused: .orderRefused(message: try text("message"))
        case .timedOut: .timedOut
        case .cancelled: .cancelled(try tag("cancel reason"))
        case .outOfMemory: .outOfMemory
        case .deniedSyscall:
            .deniedSyscall(
                name: try text("system call", limit: WireLimits.maximumNameBytes),
                number: try integer(),
                arguments: try arguments())
        case .protocolViolation: .protocolViolation(message: try text("message"))
        case .noPlace: .noPlace(message: try text("message"))
        case .diedInSetUp: .diedInSetUp(message: try text("message"))
        }
    }

    private mutating func arguments() throws(WireError) -> [UInt64] {
        let values = try list("arguments") { reader throws(WireError) in
            try reader.integer(UInt64.self)
        }
        guard values.count <= 6 else {
            throw failure(.tooLarge(field: "arguments", count: values.count, limit: 6))
        }
        return values
    }

    private mutating func usage() throws(WireError) -> ResourceUsage {
        ResourceUsage(
            wall: try duration("wall"), userCPU: try duration("user CPU"),
            systemCPU: try duration("system CPU"),
            peakMemoryBytes: try optional("peak memory") { reader throws(WireError) in
                try reader.integer()
            },
            peakProcesses: try optional("peak processes") { reader throws(WireError) in
                try reader.integer()
            },
            processLimitHits: try integer())
    }
}
