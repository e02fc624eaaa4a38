// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import Glibc
package import SystemPackage

/// The descriptors of one wait.
package struct PollSet: Sendable {
    /// What is waited for, or came; an error comes unasked, under no name here.
    package struct Events: OptionSet, Sendable {
        /// As of poll(2).
        package let rawValue: Int16
        /// Makes a set of the bits of poll(2).
        package init(rawValue: Int16) { self.rawValue = rawValue }
        /// Bytes, a message, a connection or the end are there (POLLIN).
        package static let readable = Events(rawValue: Int16(POLLIN))
        /// A file of the kernel's changed since it was read (POLLPRI).
        package static let priority = Events(rawValue: Int16(POLLPRI))
        /// The other end is closed (POLLHUP); comes unasked.
        package static let hangUp = Events(rawValue: Int16(POLLHUP))
        /// There is room to write (POLLOUT).
        package static let writable = Events(rawValue: Int16(POLLOUT))
    }

    private var items: [pollfd] = []

    package init() {}

    /// Empties it, and keeps its room.
    package mutating func removeAll() { items.removeAll(keepingCapacity: true) }

    /// Adds a descriptor; gives its place. A negative one is passed over.
    @discardableResult
    package mutating func add(_ number: CInt, _ events: Events = .readable) -> Int {
        items.append(pollfd(fd: number, events: events.rawValue, revents: 0))
        return items.count - 1
    }

    /// What came at a place.
    package subscript(place: Int) -> Events { Events(rawValue: items[place].revents) }

    /// Waits until something comes; gives how many have news, 0 where `timeout` is over before.
    ///
    /// - Parameter timeout: nil waits without end. What is interrupted waits for the rest.
    @discardableResult
    package mutating func wait(for timeout: Duration?) throws(Errno) -> Int {
        let end = timeout.map { Clock.boot + $0 }
        while true {
            let left = end.map { ($0 - Clock.boot).pollMilliseconds } ?? -1
            do throws(Errno) {
                let count = try once(.poll) { Int(poll(&items, nfds_t(items.count), left)) }
                if count > 0 { return count }
                if let end, Clock.boot >= end { return 0 }
            } catch {
                if error != .interrupted { throw error }
            }
        }
    }
}
