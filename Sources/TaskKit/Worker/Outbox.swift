// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ZeroMQ

/// Reports on their way up, in order; keeps what the pipe has no room for.
struct Outbox {
    private let socket: ZMQSocket
    private var waiting: [[UInt8]] = []

    init(_ socket: ZMQSocket) { self.socket = socket }

    /// Whether the pipe is full: then nothing more is to be read from tasks.
    var isBlocked: Bool { !waiting.isEmpty }

    mutating func send(_ report: Report) throws(ZeroMQError) {
        let bytes = ReportCodec.encode(report)
        guard waiting.isEmpty, try socket.send(bytes) else {
            waiting.append(bytes)
            return
        }
    }

    /// Sends what waits, as far as there is room.
    mutating func flush() throws(ZeroMQError) {
        var sent = 0
        while sent < waiting.count, try socket.send(waiting[sent]) { sent += 1 }
        waiting.removeFirst(sent)
    }
}
