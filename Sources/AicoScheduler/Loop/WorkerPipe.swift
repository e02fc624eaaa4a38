// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoWire
import ZeroMQ

/// The two sockets of one worker: orders down, reports up.
final class WorkerPipe {
    let worker: WorkerID
    let orders: ZMQSocket
    let reports: ZMQSocket
    /// Who connects to each.
    let ordersDoor: PipeDoor
    let reportsDoor: PipeDoor
    /// Whether an order found no room since the pipe was writable last: later ones wait behind it.
    var isFull = false

    /// Reports that wait to be taken; further ones wait in the worker.
    private static let waitingReports: Int32 = 256
    /// More bytes than so many reports can have: each has one text or blob at most.
    private static let waitingBytes = 2 * Int(waitingReports) * WireLimits.maximumStringBytes

    init(
        _ worker: WorkerID, layout: InstanceLayout, context: ZMQContext
    ) throws(ZeroMQError) {
        self.worker = worker
        orders = try ZMQSocket(.push, in: context)
        reports = try ZMQSocket(.pull, in: context)
        try orders.setHighWaterMark(send: 1000, receive: 1)
        try reports.setHighWaterMark(send: 1, receive: Self.waitingReports)
        // Nobody sends anything but the greeting this way.
        ordersDoor = try PipeDoor(of: orders, name: "orders", bytes: 64 << 10)
        reportsDoor = try PipeDoor(of: reports, name: "reports", bytes: Self.waitingBytes)
        for (socket, path) in [
            (orders, layout.ordersSocket(of: worker)),
            (reports, layout.reportsSocket(of: worker)),
        ] {
            try socket.setMaximumMessageBytes(Int64(WireLimits.maximumFrameBytes))
            try socket.bind("ipc://\(path)")
        }
    }

    /// Takes the next report; nil where none waits.
    func receive() throws(ZeroMQError) -> [[UInt8]]? {
        guard let message = try reports.receiveMessage(maximumFrames: 1) else { return nil }
        reportsDoor.taken(message)
        return message.frames
    }

    /// Looks at both doors; gives what somebody did there that no worker does.
    func watchDoors() throws(ZeroMQError) -> String? {
        let first = try ordersDoor.watch()
        return try reportsDoor.watch() ?? first
    }

    /// Another process of it is launched.
    func beginAnew() {
        ordersDoor.beginAnew()
        reportsDoor.beginAnew()
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
