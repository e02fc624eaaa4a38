// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ

extension ZMQSocket {
    /// Bounds both queues to a number of messages; 0 would mean no bound (`ZMQ_SNDHWM`).
    package func setHighWaterMark(send: Int32, receive: Int32) throws(ZeroMQError) {
        try setInteger(ZMQ_SNDHWM, send, "send high-water mark")
        try setInteger(ZMQ_RCVHWM, receive, "receive high-water mark")
    }

    /// Closes the connection of a peer that sends a longer frame (`ZMQ_MAXMSGSIZE`).
    package func setMaximumMessageBytes(_ bytes: Int64) throws(ZeroMQError) {
        var value = bytes
        guard zmq_setsockopt(pointer, ZMQ_MAXMSGSIZE, &value, MemoryLayout<Int64>.size) == 0
        else { throw .last("set", "maximum message bytes") }
    }

    /// Sets how long unsent messages are kept after closing (`ZMQ_LINGER`).
    package func setLinger(_ duration: Duration) throws(ZeroMQError) {
        try setInteger(ZMQ_LINGER, duration.wholeMilliseconds, "linger")
    }

    /// Sets how long a peer may take over its handshake (`ZMQ_HANDSHAKE_IVL`).
    package func setHandshakeInterval(_ duration: Duration) throws(ZeroMQError) {
        try setInteger(ZMQ_HANDSHAKE_IVL, duration.wholeMilliseconds, "handshake interval")
    }

    /// Sets the first and the longest pause between connection attempts (`ZMQ_RECONNECT_IVL`).
    package func setReconnectInterval(
        _ first: Duration, maximum: Duration
    ) throws(ZeroMQError) {
        try setInteger(ZMQ_RECONNECT_IVL, first.wholeMilliseconds, "reconnect interval")
        try setInteger(ZMQ_RECONNECT_IVL_MAX, maximum.wholeMilliseconds, "reconnect interval")
    }

    /// Queues only for completed connections (`ZMQ_IMMEDIATE`).
    package func setImmediate(_ enabled: Bool) throws(ZeroMQError) {
        try setInteger(ZMQ_IMMEDIATE, enabled ? 1 : 0, "immediate")
    }

    /// Sends heartbeats, and drops a peer that answers none (`ZMQ_HEARTBEAT_IVL`).
    package func setHeartbeat(
        every interval: Duration, timeout: Duration
    ) throws(ZeroMQError) {
        try setInteger(ZMQ_HEARTBEAT_IVL, interval.wholeMilliseconds, "heartbeat interval")
        try setInteger(ZMQ_HEARTBEAT_TIMEOUT, timeout.wholeMilliseconds, "heartbeat timeout")
    }

    /// Chooses the name under which a ROUTER knows this socket; before `connect` (`ZMQ_ROUTING_ID`).
    package func setRoutingID(_ id: String) throws(ZeroMQError) {
        try setText(ZMQ_ROUTING_ID, id, "routing id")
    }

    /// Makes sending to an unknown peer fail with EHOSTUNREACH (`ZMQ_ROUTER_MANDATORY`).
    package func setRouterMandatory(_ enabled: Bool) throws(ZeroMQError) {
        try setInteger(ZMQ_ROUTER_MANDATORY, enabled ? 1 : 0, "router mandatory")
    }

    /// Passes repeated subscriptions up as well (`ZMQ_XPUB_VERBOSE`).
    package func setVerboseSubscriptions(_ enabled: Bool) throws(ZeroMQError) {
        try setInteger(ZMQ_XPUB_VERBOSE, enabled ? 1 : 0, "verbose subscriptions")
    }

    /// Applies a subscription only where `subscribe` is called before the next `receive`
    /// (`ZMQ_XPUB_MANUAL`): it then goes to the connection whose message was received last.
    package func setManualSubscriptions(_ enabled: Bool) throws(ZeroMQError) {
        try setInteger(ZMQ_XPUB_MANUAL, enabled ? 1 : 0, "manual subscriptions")
    }

    /// Sets the length of the queue of connections not yet accepted (`ZMQ_BACKLOG`).
    package func setBacklog(_ count: Int32) throws(ZeroMQError) {
        try setInteger(ZMQ_BACKLOG, count, "backlog")
    }

    /// Subscribes to the topics that begin with `prefix` (`ZMQ_SUBSCRIBE`).
    package func subscribe(prefix: String) throws(ZeroMQError) {
        try setText(ZMQ_SUBSCRIBE, prefix, "subscription")
    }

    /// Ends a subscription (`ZMQ_UNSUBSCRIBE`).
    package func unsubscribe(prefix: String) throws(ZeroMQError) {
        try setText(ZMQ_UNSUBSCRIBE, prefix, "subscription")
    }

    /// What can be done without blocking (`ZMQ_EVENTS`).
    package var events: ZMQEvents {
        get throws(ZeroMQError) {
            var value: Int32 = 0
            var size = MemoryLayout<Int32>.size
            guard untilNoSignal({ zmq_getsockopt(pointer, ZMQ_EVENTS, &value, &size) }) else {
                throw .last("read", "events")
            }
            return ZMQEvents(rawValue: Int16(truncatingIfNeeded: value))
        }
    }

    /// The endpoint last bound or connected, with wildcards resolved (`ZMQ_LAST_ENDPOINT`).
    package var lastEndpoint: String {
        get throws(ZeroMQError) {
            var buffer = [UInt8](repeating: 0, count: 512)
            var count = buffer.count
            guard zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &buffer, &count) == 0 else {
                throw .last("read", "last endpoint")
            }
            return String(decoding: buffer.prefix(max(0, count - 1)), as: UTF8.self)
        }
    }

    func setInteger(_ option: Int32, _ value: Int32, _ name: String) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(pointer, option, &value, MemoryLayout<Int32>.size) == 0 else {
            throw .last("set", name)
        }
    }

    /// Sets text without its terminating zero. `name`, never the value, goes into the error.
    func setText(_ option: Int32, _ value: String, _ name: String) throws(ZeroMQError) {
        let bytes = Array(value.utf8)
        guard zmq_setsockopt(pointer, option, bytes, bytes.count) == 0 else {
            throw .last("set", name)
        }
    }
}

extension Duration {
    /// Milliseconds rounded up, held to what libzmq's `int` options take; never negative.
    var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        let part = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(seconds * 1000 + part)
    }
}
