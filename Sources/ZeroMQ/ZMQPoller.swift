// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ

/// What a socket or descriptor is ready for.
public struct ZMQEvents: OptionSet, Sendable, Hashable {
    /// libzmq's bits.
    public let rawValue: Int16

    /// Wraps libzmq's bits.
    public init(rawValue: Int16) { self.rawValue = rawValue }

    /// A message or bytes can be read (`ZMQ_POLLIN`).
    public static let readable = ZMQEvents(rawValue: 1)
    /// A message or bytes can be written (`ZMQ_POLLOUT`).
    public static let writable = ZMQEvents(rawValue: 2)
    /// A raw descriptor has an error or hung up (`ZMQ_POLLERR`).
    public static let failed = ZMQEvents(rawValue: 4)
}

/// Waits for any of several sockets and raw descriptors (zmq_poll(3)).
///
/// Holds its sockets. The caller names every item with a key of its own; descriptors stay the
/// caller's.
public struct ZMQPoller {
    /// An item that is ready.
    public struct Ready: Sendable, Equatable {
        /// The key that the item was added with.
        public let key: Int
        /// What it is ready for.
        public let events: ZMQEvents
    }

    private var items: [zmq_pollitem_t] = []
    private var keys: [Int] = []
    private var sockets: [Int: ZMQSocket] = [:]

    /// Makes a poller without items.
    public init() {}

    /// Adds a socket, or replaces the item of that key.
    public mutating func add(_ socket: ZMQSocket, events: ZMQEvents = .readable, key: Int) {
        remove(key: key)
        sockets[key] = socket
        append(
            zmq_pollitem_t(socket: socket.pointer, fd: 0, events: events.rawValue, revents: 0), key)
    }

    /// Adds a raw descriptor, or replaces the item of that key.
    public mutating func add(descriptor: Int32, events: ZMQEvents = .readable, key: Int) {
        remove(key: key)
        append(
            zmq_pollitem_t(socket: nil, fd: descriptor, events: events.rawValue, revents: 0), key)
    }

    /// Removes the item of a key, if there is one.
    public mutating func remove(key: Int) {
        guard let index = keys.firstIndex(of: key) else { return }
        items.remove(at: index)
        keys.remove(at: index)
        sockets[key] = nil
    }

    /// Waits until an item is ready or `timeout` passed (nil: for ever); rounded up to a
    /// millisecond. Empty after a timeout and after a signal.
    public mutating func wait(timeout: Duration?) throws(ZeroMQError) -> [Ready] {
        let milliseconds = timeout.map { Int($0.wholeMilliseconds) } ?? -1
        let count = items.withUnsafeMutableBufferPointer {
            zmq_poll($0.baseAddress, Int32($0.count), milliseconds)
        }
        guard count >= 0 else {
            let code = zmq_errno()
            if code == EINTR { return [] }
            throw ZeroMQError(operation: "poll", subject: "", code: code)
        }
        guard count > 0 else { return [] }
        return zip(keys, items).compactMap { key, item in
            item.revents == 0
                ? nil : Ready(key: key, events: ZMQEvents(rawValue: item.revents))
        }
    }

    private mutating func append(_ item: zmq_pollitem_t, _ key: Int) {
        items.append(item)
        keys.append(key)
    }
}
