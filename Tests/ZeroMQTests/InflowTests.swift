// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing
import ZeroMQ

/// What is counted of connections, and what takes it off again.
@Suite(.serialized) struct InflowTests {
    /// Two ends of a stream, the counted one under a number that others can have after it.
    private final class Stream {
        let descriptor: Int32
        private let peer: Int32

        init(as number: Int32? = nil) throws {
            var ends: [Int32] = [-1, -1]
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
            descriptor = number.map { dup2(ends[0], $0) } ?? fcntl(ends[0], F_DUPFD, 700)
            try #require(descriptor >= 0)
            close(ends[0])
            peer = ends[1]
        }

        deinit {
            close(descriptor)
            close(peer)
        }

        func connection() throws -> ZMQInflow.Connection {
            try #require(ZMQInflow.Connection(descriptor))
        }

        /// Lets bytes come in; gives what recv(2) said.
        func take(_ count: Int) -> Int {
            var bytes = [UInt8](repeating: 7, count: count)
            guard Glibc.send(peer, bytes, count, 0) == count else { return -1 }
            return Glibc.recv(descriptor, &bytes, count, 0)
        }

        /// Lets bytes go out, and the other end read as many as it is to.
        func give(_ count: Int, isRead: Bool = true) -> Int {
            var bytes = [UInt8](repeating: 7, count: count)
            let sent = Glibc.send(descriptor, bytes, count, 0)
            if isRead { Glibc.recv(peer, &bytes, count, 0) }
            return sent
        }

        /// Fills the way out until it takes no more; gives whether the last went in a part.
        func fill() -> Bool {
            while true {
                let sent = give(100_000, isRead: false)
                if sent < 100_000 { return sent > 0 }
            }
        }

        func drain() {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            while Glibc.recv(peer, &bytes, bytes.count, 0) > 0 {}
        }
    }

    @Test func aConnectionEndsBeyondItsBound() throws {
        let stream = try Stream()
        let connection = try stream.connection()
        #expect(connection.watch(bytes: 1000, message: 1000))
        #expect(stream.take(1000) == 1000)
        #expect(stream.take(1) == 0)
        #expect(connection.end())
        // Once it is not watched any more, nothing ends it.
        #expect(stream.take(2000) == 2000)
        #expect(!connection.end())
    }

    @Test func theEndOfOneLeavesTheNextOfItsNumberCounted() throws {
        var former: Stream? = try Stream()
        let number = try #require(former?.descriptor)
        let ended = try #require(try former?.connection())
        #expect(ended.watch(bytes: 10, message: 10))
        former = nil
        let stream = try Stream(as: number)
        #expect(!ended.isThere)
        let connection = try stream.connection()
        #expect(connection.isThere)
        #expect(connection.watch(bytes: 1000, message: 1000))
        // News of the former that is read late: nothing of it concerns its successor.
        #expect(!ended.watch(bytes: 1 << 20, message: 1 << 20))
        #expect(stream.take(600) == 600)
        ended.taken(bytes: 600)
        #expect(!ended.end())
        #expect(stream.take(400) == 400)
        #expect(stream.take(1) == 0)
        #expect(connection.end())
    }

    @Test func aMessageThatIsTakenTakesNoMoreOffThanItsOwn() throws {
        let stream = try Stream()
        let connection = try stream.connection()
        #expect(connection.watch(bytes: 1000, message: 1000))
        // A message of 100 bytes, and 500 of one that goes on.
        #expect(stream.take(600) == 600)
        connection.taken(bytes: 100)
        #expect(stream.take(500) == 500)
        #expect(stream.take(1) == 0)
        #expect(connection.end())
    }

    @Test func moreThanThereIsIsNotTakenOff() throws {
        let stream = try Stream()
        let connection = try stream.connection()
        #expect(connection.watch(bytes: 1000, message: 1000))
        #expect(stream.take(100) == 100)
        connection.taken(bytes: 5000)
        #expect(stream.take(1000) == 1000)
        #expect(stream.take(1) == 0)
        #expect(connection.end())
    }

    @Test func whatWasHeldIsGivenBackWhereItIsForgotten() throws {
        let stream = try Stream()
        let connection = try stream.connection()
        #expect(connection.watch(bytes: 1 << 20, message: 1 << 20))
        let before = ZMQInflow.heldBytes
        #expect(stream.take(1000) == 1000)
        #expect(ZMQInflow.heldBytes == before + 1000)
        _ = connection.end()
        #expect(ZMQInflow.heldBytes == before)
    }

    @Test(arguments: [(39, false), (40, true), (56, true), (57, false)])
    func onlyWhatIsAsLongAsAPongIsOne(size: Int, isPong: Bool) throws {
        let stream = try Stream()
        let connection = try stream.connection()
        #expect(connection.watch(bytes: 100, message: 100))
        #expect(stream.take(60) == 60)
        #expect(stream.give(size) == size)
        #expect(stream.take(60) == (isPong ? 60 : 0))
        #expect(connection.end() == !isPong)
    }

    @Test func theTailOfALongAnswerIsNoPong() throws {
        let stream = try Stream()
        let connection = try stream.connection()
        #expect(connection.watch(bytes: 100, message: 100))
        #expect(stream.take(60) == 60)
        _ = stream.fill()
        stream.drain()
        // What follows a part is the rest of it, as long as it may be.
        #expect(stream.give(50) == 50)
        #expect(stream.take(60) == 0)
        #expect(connection.end())
    }

    @Test func pingsBeyondSixtyFourInASecondCount() throws {
        let stream = try Stream()
        let connection = try stream.connection()
        #expect(connection.watch(bytes: 4000, message: 4000))
        var count = 0
        // Two seconds may have a part in it, and a slow machine more.
        let began = ContinuousClock.now
        while count < 100_000, stream.take(42) == 42 {
            _ = stream.give(40)
            count += 1
        }
        let seconds = Int((ContinuousClock.now - began) / .seconds(1)) + 2
        #expect(count >= 64)
        #expect(count <= 64 * seconds + 4000 / 42 + 1)
        #expect(connection.end())
    }

    // MARK: - libzmq's own bytes

    /// A ROUTER with CURVE whose connections are counted, served from the test's thread.
    private final class CountedRouter {
        let keys: CurveKeyPair
        let router: ZMQSocket
        private let zap: ZAPHandler
        private let door: ZMQDoorMonitor
        private var poller = ZMQPoller()
        private let bound: Int
        private(set) var connection: ZMQInflow.Connection?
        private(set) var isEnded = false

        init(endpoint: String, bound: Int, context: ZMQContext) throws {
            self.bound = bound
            keys = try CurveKeyPair.generate()
            zap = try ZAPHandler(in: context)
            router = try ZMQSocket(.router, in: context)
            door = try ZMQDoorMonitor(of: router)
            try router.serveCurve(secretKey: keys.secretKey, domain: "aico", admittedBy: zap)
            try router.bind(endpoint)
            poller.add(zap.socket, key: 0)
            poller.add(router, key: 1)
            poller.add(door.socket, key: 2)
        }

        /// Serves until a message came, the connection ended, or the time is over.
        func message(within time: Duration) throws -> ZMQMessage? {
            let deadline = ContinuousClock.now + time
            while !isEnded, ContinuousClock.now < deadline {
                _ = try poller.wait(timeout: deadline - .now)
                while let event = try door.next() {
                    switch event {
                    case .accepted(let descriptor):
                        connection = ZMQInflow.Connection(descriptor)
                        #expect(connection?.watch(bytes: bound, message: bound) == true)
                    case .ended:
                        isEnded = true
                    }
                }
                try zap.serve { _ in "somebody" }
                if let message = try router.receiveMessage() {
                    connection?.taken(bytes: message.bytesOnTheWay)
                    return message
                }
            }
            return nil
        }

        func dealer(_ endpoint: String, heartbeat: Duration? = nil) throws -> ZMQSocket {
            let dealer = try ZMQSocket(.dealer, in: ZMQContext())
            try dealer.useCurve(serverKey: keys.publicKey, keys: .generate())
            if let heartbeat { try dealer.setHeartbeat(every: heartbeat, timeout: .seconds(10)) }
            try dealer.connect(endpoint)
            return dealer
        }
    }

    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func whatIsTakenIsAllThatAMessageHadOnItsWay() throws {
        let endpoint = directory.endpoint("bus")
        let server = try CountedRouter(endpoint: endpoint, bound: 8000, context: ZMQContext())
        let dealer = try server.dealer(endpoint)
        // Many times the bound: were a byte of each left over, it would be passed.
        for number in 0..<3000 {
            let sizes = [number % 3, 220 + number % 10, number % 700]
            try dealer.send(sizes.map { [UInt8](repeating: 1, count: $0) }, nonblocking: false)
            let message = try #require(try server.message(within: .seconds(10)))
            #expect(message.count == 3)
            #expect(message.byteCount == sizes.reduce(0, +))
        }
        #expect(server.connection?.end() == false)
    }

    @Test func heartbeatsDoNotAddUpToAFlood() throws {
        let endpoint = directory.endpoint("bus")
        // The handshake has some 700 bytes, a ping 42.
        let server = try CountedRouter(endpoint: endpoint, bound: 1200, context: ZMQContext())
        let dealer = try server.dealer(endpoint, heartbeat: .milliseconds(20))
        try dealer.send([1])
        #expect(try server.message(within: .seconds(10)) != nil)
        // Some 75 pings, of which a third would end it.
        #expect(try server.message(within: .seconds(1.5)) == nil)
        #expect(!server.isEnded)
        try dealer.send([2])
        #expect(try server.message(within: .seconds(10))?.frames.last == [2])
    }

    @Test func aFloodOfHeartbeatsEndsItsConnection() throws {
        let endpoint = directory.endpoint("bus")
        let server = try CountedRouter(endpoint: endpoint, bound: 8000, context: ZMQContext())
        let dealer = try server.dealer(endpoint, heartbeat: .milliseconds(1))
        try dealer.send([1])
        #expect(try server.message(within: .seconds(10)) != nil)
        #expect(try server.message(within: .seconds(20)) == nil)
        #expect(server.isEnded)
        #expect(server.connection?.end() == true)
        withExtendedLifetime(dealer) {}
    }
}
