// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ
import Glibc

/// What a socket or descriptor is ready for.
package struct ZMQEvents: OptionSet, Sendable, Hashable {
    /// libzmq's bits.
    package let rawValue: Int16

    /// Wraps libzmq's bits.
    package init(rawValue: Int16) { self.rawValue = rawValue }

    /// A message or bytes can be read (`ZMQ_POLLIN`).
    package static let readable = ZMQEvents(rawValue: 1)
    /// A message or bytes can be written (`ZMQ_POLLOUT`).
    package static let writable = ZMQEvents(rawValue: 2)
    /// A raw descriptor has an error or hung up (`ZMQ_POLLERR`).
    package static let failed = ZMQEvents(rawValue: 4)

    /// As poll(2) says it.
    fileprivate init(polled: Int16) {
        var events: ZMQEvents = []
        if polled & Int16(POLLIN) != 0 { events.insert(.readable) }
        if polled & Int16(POLLOUT) != 0 { events.insert(.writable) }
        if polled & ~Int16(POLLIN | POLLOUT) != 0 { events.insert(.failed) }
        self = events
    }

    fileprivate var polled: Int16 {
        (contains(.readable) ? Int16(POLLIN) : 0) | (contains(.writable) ? Int16(POLLOUT) : 0)
    }
}

/// Waits for any of several sockets and raw descriptors.
///
/// Holds its sockets. The caller names every item with a key of its own; descriptors stay the
/// caller's.
///
/// zmq_poll(3) asks every socket before and after each wait, two system calls each. Here a socket
/// is asked where its descriptor is signalled, which libzmq does once for news (see `ZMQ_FD` in
/// zmq_getsockopt(3)); where it was used since it was asked last, for that may have taken the
/// news; and where it was ready and nobody took what it was ready for. A socket is in a poller
/// once: asked for one item, it would give away the news that the other one sleeps for.
package struct ZMQPoller {
    /// An item that is ready.
    package struct Ready: Sendable, Equatable {
        /// The key that the item was added with.
        package let key: Int
        /// What it is ready for.
        package let events: ZMQEvents
    }

    private struct Item {
        let key: Int
        let socket: ZMQSocket?
        let events: ZMQEvents
        /// The socket's uses when it was asked last; nil where it has to be asked.
        var asked: UInt64?

        /// What of `events` the socket is ready for.
        mutating func ask() throws(ZeroMQError) -> ZMQEvents {
            guard let socket else { return [] }
            let ready = try socket.events.intersection(events)
            asked = ready.isEmpty ? socket.uses : nil
            return ready
        }
    }

    private var items: [Item] = []
    private var descriptors: [pollfd] = []

    package init() {}

    /// Adds a socket, or replaces the item of that key.
    ///
    /// One that stands there under another key is a mistake of the program, which ends with a word.
    package mutating func add(_ socket: ZMQSocket, events: ZMQEvents = .readable, key: Int) {
        remove(key: key)
        if let other = items.first(where: { $0.socket === socket }) {
            preconditionFailure(
                "a socket is in a poller once: this one has the key \(other.key) already")
        }
        items.append(Item(key: key, socket: socket, events: events))
        descriptors.append(pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0))
    }

    /// Adds a raw descriptor, or replaces the item of that key.
    package mutating func add(descriptor: Int32, events: ZMQEvents = .readable, key: Int) {
        remove(key: key)
        items.append(Item(key: key, socket: nil, events: events))
        descriptors.append(pollfd(fd: descriptor, events: events.polled, revents: 0))
    }

    /// Removes the item of a key, if there is one.
    package mutating func remove(key: Int) {
        guard let index = items.firstIndex(where: { $0.key == key }) else { return }
        items.remove(at: index)
        descriptors.remove(at: index)
    }

    /// Waits until an item is ready or `timeout` passed (nil: for ever); rounded up to a
    /// millisecond. Empty after a timeout and after a signal.
    package mutating func wait(timeout: Duration?) throws(ZeroMQError) -> [Ready] {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        var ready: [Ready] = []
        for index in items.indices where items[index].socket != nil {
            guard items[index].asked != items[index].socket?.uses else { continue }
            let events = try items[index].ask()
            if !events.isEmpty { ready.append(Ready(key: items[index].key, events: events)) }
        }
        while true {
            let left = deadline.map { max(.zero, $0 - .now) }
            let milliseconds = left.map { Int32(clamping: $0.wholeMilliseconds) } ?? -1
            let count = poll(
                &descriptors, nfds_t(descriptors.count), ready.isEmpty ? milliseconds : 0)
            guard count >= 0 else {
                let code = errno
                if code == EINTR { return ready }
                throw ZeroMQError(operation: "poll", subject: "", code: code)
            }
            if count > 0 { try look(into: &ready) }
            // News that make no item ready, as of a connection, end no wait.
            if !ready.isEmpty || left == .zero { return ready }
        }
    }

    /// Asks the items whose descriptors are signalled.
    private mutating func look(into ready: inout [Ready]) throws(ZeroMQError) {
        for index in items.indices where descriptors[index].revents != 0 {
            let key = items[index].key
            guard items[index].socket != nil else {
                ready.append(Ready(key: key, events: ZMQEvents(polled: descriptors[index].revents)))
                continue
            }
            let events = try items[index].ask()
            if !events.isEmpty, !ready.contains(where: { $0.key == key }) {
                ready.append(Ready(key: key, events: events))
            }
        }
    }
}
