// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ

/// A received message.
package struct ZMQMessage: Sendable, Equatable {
    /// The frames, on a ROUTER the sender's routing id first.
    package var frames: [[UInt8]]
    /// Who the ZAP handler said the sender is; nil where it was not asked.
    package var userID: String?
    /// The descriptor of the sender's connection, on a ROUTER, XPUB or PULL; libzmq owns it, and a
    /// connection that is gone may have left its number to another one.
    package var connection: Int32?
    /// How many frames came, those that were dropped among them, without the routing id.
    package var count = 0
    /// Their bytes.
    package var byteCount = 0

    /// The most bytes that it can have had on its way: with CURVE, each frame has 33 more and a head of
    /// up to 9, a subscription its command's name besides (ZeroMQ RFCs 23, 26 and 37).
    package var bytesOnTheWay: Int { byteCount + count * (33 + 9 + 9) }
}

extension ZMQSocket {
    /// Sends the frames as one message; false where the queue is full or no peer is there.
    ///
    /// With `nonblocking` false it waits for room instead.
    @discardableResult
    package func send(
        _ frames: [[UInt8]], nonblocking: Bool = true
    ) throws(ZeroMQError) -> Bool {
        for (index, frame) in frames.enumerated() {
            let flags =
                (nonblocking ? ZMQ_DONTWAIT : 0) | (index < frames.count - 1 ? ZMQ_SNDMORE : 0)
            // Only the first frame can meet a full queue: libzmq queues messages whole.
            guard try send(frame, flags: flags) else { return false }
        }
        return true
    }

    private func send(_ frame: [UInt8], flags: Int32) throws(ZeroMQError) -> Bool {
        while zmq_send(pointer, frame, frame.count, flags) < 0 {
            let code = zmq_errno()
            if code == EINTR { continue }
            if code == EAGAIN { return false }
            throw ZeroMQError(operation: "send", subject: "", code: code)
        }
        return true
    }

    /// Sends the frames as one message to whoever has the routing id, on a ROUTER; false where the queue
    /// is full, nil where it is not who was meant.
    ///
    /// `isMeant` is asked once libzmq has settled on a connection: one that comes later cannot get the
    /// message. Whoever else has the id by then gets an empty frame, which has to follow.
    package func send(
        _ frames: [[UInt8]], to routingID: [UInt8], where isMeant: () -> Bool
    ) throws(ZeroMQError) -> Bool? {
        guard try send(routingID, flags: ZMQ_DONTWAIT | ZMQ_SNDMORE) else { return false }
        guard isMeant() else {
            _ = try send([], flags: ZMQ_DONTWAIT)
            return nil
        }
        return try send(frames)
    }

    /// Sends the frames as one message; false where the queue is full or no peer is there.
    @discardableResult
    package func send(
        _ frames: [UInt8]..., nonblocking: Bool = true
    ) throws(ZeroMQError) -> Bool {
        try send(frames, nonblocking: nonblocking)
    }

    /// Receives the next message's frames, or nil where there is none.
    package func receive(nonblocking: Bool = true) throws(ZeroMQError) -> [[UInt8]]? {
        try receiveMessage(nonblocking: nonblocking)?.frames
    }

    /// Receives the next message with its sender's identity, or nil where there is none.
    ///
    /// Frames beyond `maximumFrames` are read and dropped; the message then has one frame more
    /// than permitted, so that a count check refuses it.
    package func receiveMessage(
        nonblocking: Bool = true, maximumFrames: Int = 16
    ) throws(ZeroMQError) -> ZMQMessage? {
        var message = ZMQMessage(frames: [], userID: nil, connection: nil)
        let namesConnection = kind == .router || kind == .xpub || kind == .pull
        var part = zmq_msg_t()
        zmq_msg_init(&part)
        defer { zmq_msg_close(&part) }
        repeat {
            while zmq_msg_recv(&part, pointer, nonblocking ? ZMQ_DONTWAIT : 0) < 0 {
                let code = zmq_errno()
                if code == EINTR { continue }
                if code == EAGAIN, message.frames.isEmpty { return nil }
                throw ZeroMQError(operation: "receive", subject: "", code: code)
            }
            let isRoutingID = kind == .router && message.frames.isEmpty
            if !isRoutingID {
                message.count += 1
                message.byteCount += zmq_msg_size(&part)
            }
            guard message.frames.count <= maximumFrames else { continue }
            if message.userID == nil, let text = zmq_msg_gets(&part, "User-Id") {
                message.userID = String(cString: text)
            }
            // What zmq_msg_get(3) reads for the deprecated ZMQ_SRCFD.
            if namesConnection, message.connection == nil, let text = zmq_msg_gets(&part, "__fd") {
                message.connection = Int32(String(cString: text))
            }
            let start = zmq_msg_data(&part)
            message.frames.append(
                Array(UnsafeRawBufferPointer(start: start, count: zmq_msg_size(&part))))
        } while zmq_msg_more(&part) != 0
        return message
    }
}
