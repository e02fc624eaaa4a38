// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoWire
import ZeroMQ

/// The two sockets of one class: orders down, reports up.
final class ClassPipe {
    let taskClass: TaskClass
    let orders: ZMQSocket
    let reports: ZMQSocket
    /// Whether an order found no room since the pipe was writable last: later ones wait behind it.
    var isFull = false

    init(
        _ taskClass: TaskClass, layout: InstanceLayout, context: ZMQContext
    ) throws(ZeroMQError) {
        self.taskClass = taskClass
        orders = try ZMQSocket(.push, in: context)
        reports = try ZMQSocket(.pull, in: context)
        for (socket, path) in [
            (orders, layout.ordersSocket(of: taskClass)),
            (reports, layout.reportsSocket(of: taskClass)),
        ] {
            try socket.setHighWaterMark(send: 1000, receive: 1000)
            try socket.setMaximumMessageBytes(Int64(WireLimits.maximumFrameBytes))
            try socket.bind("ipc://\(path)")
        }
    }

    /// Sends an order; false where it found no room, or one before it did not.
    func send(_ order: Order) throws(ZeroMQError) -> Bool {
        guard !isFull else { return false }
        // Makes libzmq look at its commands, so that a dead connection is gone before a send.
        _ = try orders.events
        isFull = try !orders.send(OrderCodec.encode(order))
        return !isFull
    }
}
