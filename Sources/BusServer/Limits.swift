// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension BusServer {
    /// What one client, and all of them together, can make the bus hold.
    public struct Limits: Sendable {
        /// The longest frame that is read from a requester; a longer one closes its connection.
        public var frameBytes = 1 << 20
        /// Requests, and replies, of one connection that wait in libzmq.
        public var queueLength = 8
        /// Requests of one connection that were taken and not answered yet.
        public var outstanding = 1024
        /// Replies of one connection that wait for room: more than can be outstanding, so that what was
        /// done is never answered as refused for their number.
        public var replies = 2048
        /// Their bytes.
        public var replyBytes = 16 << 20
        /// The bytes of the replies of all connections that wait for room.
        public var totalReplyBytes = 64 << 20
        /// Refusals of one connection that wait for room; one more closes it.
        public var refusals = 8192
        /// Refusals of all connections that wait for room.
        public var totalRefusals = 65536
        /// Events that wait for one subscriber; it loses what comes beyond.
        public var events = 10_000
        /// Subscriptions of one connection that are refused; one more closes it.
        public var refusedSubscriptions = 16
        /// Changes of subscriptions that one connection may send within one burst.
        public var subscriptionChanges = 1024
        /// Changes of subscriptions that one call of `welcome` takes.
        public var welcomes = 256
        /// Requests that one call of `receive` refuses before it comes back.
        public var refusalsAtOnce = 64
        /// Their bytes, a little more.
        public var refusedBytesAtOnce = 512 << 10

        /// Gives the bounds that docs/wire-protocol.md tells of.
        public init() {}
    }
}
