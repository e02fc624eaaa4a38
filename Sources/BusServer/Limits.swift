// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire

extension BusServer {
    /// What one client, and all of them together, can make the bus hold.
    package struct Limits: Sendable {
        /// The longest frame that is read from a requester; a longer one closes its connection.
        package var frameBytes = 1 << 20
        /// Connections of one key to one socket; a further one is refused at the door.
        package var clientConnections = 16
        /// Connections to one socket; beyond it those go first that have not said who they are.
        package var connections = 256
        /// What all connections may send of messages that are not complete.
        package var totalRequestBytes = 64 << 20
        /// Requests, and replies, of one connection that wait in libzmq.
        package var queueLength = 8
        /// Requests of one connection that were taken and not answered yet.
        package var outstanding = 1024
        /// Their bytes.
        package var outstandingBytes = 4 << 20
        /// Replies of one connection that wait for room: more than can be outstanding, so that what was
        /// done is never answered as refused for their number.
        package var replies = 2048
        /// Their bytes, with those that libzmq still holds.
        package var replyBytes = 16 << 20
        /// The bytes of all replies that nobody has read; beyond it, a connection of the client that is
        /// owed most ends.
        package var totalReplyBytes = 64 << 20
        /// Bytes of replies that libzmq is given for one connection, where it is more than one.
        package var handedBytes = 1 << 20
        /// Refusals of one connection that wait for room; one more closes it.
        package var refusals = 8192
        /// Refusals of all connections that wait for room.
        package var totalRefusals = 65536
        /// Events that wait for one subscriber; it loses what comes beyond.
        package var events = 10_000
        /// Bytes of events that are published before a subscriber that reads none of them ends.
        package var eventBytes = 32 << 20
        /// Subscriptions of one connection that are refused; one more closes it.
        package var refusedSubscriptions = 16
        /// Changes of subscriptions that one connection may send within one burst.
        package var subscriptionChanges = 1024
        /// Changes of subscriptions that one call of `acceptSubscriptions` takes.
        package var subscriptionsAtOnce = 256
        /// Connections that one call of `admit` answers.
        package var admissions = 64
        /// Requests that one call of `receive` refuses before it comes back.
        package var refusalsAtOnce = 64
        /// Their bytes, a little more.
        package var refusedBytesAtOnce = 512 << 10

        /// Gives the bounds that docs/wire-protocol.md tells of.
        package init() {}
    }
}

extension BusServer.Limits {
    /// What one requester can have sent at most before the first of it is taken: what may wait in
    /// libzmq, and the longest frame.
    var requestInflow: Int {
        (queueLength + 2) * (BusLimits.maximumRequestBytes + 4096) + messageBytes
    }

    /// The longest message that is read, as it is on its way.
    var messageBytes: Int { frameBytes + 16384 }
}
