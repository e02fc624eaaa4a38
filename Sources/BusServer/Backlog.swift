// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire

/// A request that is refused for want of room: what its reply needs, and no more.
struct RefusedRequest: Sendable, Equatable {
    let id: String
    let topic: String

    var frames: [[UInt8]] {
        let refusal = BusRefusal(
            code: .unavailable,
            message: "too many requests outstanding; read the replies first",
            hint: "send the next request when the reply to the one before has come")
        return BusReply(id: id, topic: topic, outcome: .failure(refusal)).frames
    }
}

/// What one connection is owed: requests in work, replies and refusals that wait for room.
struct Backlog {
    /// Whose it is.
    let peer: Peer
    /// Requests that were handed out and not answered.
    var outstanding = 0
    /// Their bytes.
    var outstandingBytes = 0
    /// What libzmq may hold for it.
    var handed = Handed()
    /// The bytes of the waiting replies.
    private(set) var waitingBytes = 0
    /// It was told to close; nothing is kept for it any more.
    private(set) var isClosed = false

    private var replies = Queue<[[UInt8]]>()
    private var refused = Queue<RefusedRequest>()

    init(_ peer: Peer) { self.peer = peer }

    var replyCount: Int { replies.count }
    var refusalCount: Int { refused.count }
    /// All bytes of replies that the client has not read.
    var bytes: Int { waitingBytes + handed.bytes }
    /// Something waits for room.
    var isWaiting: Bool { !replies.isEmpty || !refused.isEmpty }
    /// There is nothing to remember of it.
    var isIdle: Bool { outstanding == 0 && !isWaiting && !isClosed && handed.isEmpty }

    /// Whether another request is to be refused.
    func isFull(_ limits: BusServer.Limits) -> Bool {
        isClosed || outstanding >= limits.outstanding || replies.count >= limits.replies
            || outstandingBytes >= limits.outstandingBytes || waitingBytes >= limits.replyBytes
            || !refused.isEmpty
    }

    /// Whether a reply of a length may wait, as far as this connection's own bounds go.
    func hasRoom(for size: Int, _ limits: BusServer.Limits) -> Bool {
        !isClosed && replies.count < limits.replies
            && (bytes == 0 || bytes + size <= limits.replyBytes)
    }

    mutating func keep(_ reply: [[UInt8]]) {
        waitingBytes += reply.byteCount
        replies.append(reply)
    }

    mutating func refuse(_ request: RefusedRequest) { refused.append(request) }

    /// The frames that are to be sent next: replies in their order, refusals after them.
    var next: [[UInt8]]? { replies.first ?? refused.first?.frames }

    /// Forgets what `next` gave.
    mutating func removeNext() {
        if let reply = replies.popFirst() {
            waitingBytes -= reply.byteCount
        } else {
            _ = refused.popFirst()
        }
    }

    /// Forgets what waits, and takes nothing more.
    mutating func close() {
        isClosed = true
        waitingBytes = 0
        handed.clear()
        replies = Queue()
        refused = Queue()
    }
}

extension [[UInt8]] {
    var byteCount: Int { reduce(0) { $0 + $1.count } }
}

/// First in, first out, without moving what stays.
struct Queue<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { head == elements.count }
    var first: Element? { isEmpty ? nil : elements[head] }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        defer {
            elements[head] = nil
            head += 1
            if head == elements.count {
                elements = []
                head = 0
            } else if head > 64, head > elements.count / 2 {
                elements.removeFirst(head)
                head = 0
            }
        }
        return elements[head]
    }
}
