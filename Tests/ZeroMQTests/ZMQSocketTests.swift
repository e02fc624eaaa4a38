// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation
import Synchronization
import Testing
import ZeroMQ

/// How many signals the test that wants them has had.
private let signals = Atomic(0)

@Suite struct ZMQSocketTests {
    let directory: TemporaryDirectory
    let context: ZMQContext

    init() throws {
        directory = try TemporaryDirectory()
        context = try ZMQContext()
    }

    @Test func framesArriveAsSent() throws {
        let pull = try ZMQSocket(.pull, in: context)
        try pull.bind(directory.endpoint("a"))
        let push = try ZMQSocket(.push, in: context)
        try push.connect(directory.endpoint("a"))
        #expect(try push.send([1, 2], [], [3]))
        #expect(try pull.wait(timeout: .seconds(10)))
        #expect(try pull.receive() == [[1, 2], [], [3]])
        #expect(try pull.receive() == nil)
    }

    @Test func anEmptyQueueGivesNilAndATimeoutGivesFalse() throws {
        let pull = try ZMQSocket(.pull, in: context)
        try pull.bind(directory.endpoint("a"))
        #expect(try pull.receive() == nil)
        #expect(try !pull.wait(timeout: .milliseconds(5)))
        #expect(try pull.events.isEmpty)
    }

    @Test func aFloodStopsAtTheHighWaterMark() throws {
        let pull = try ZMQSocket(.pull, in: context)
        try pull.setHighWaterMark(send: 10, receive: 10)
        try pull.bind(directory.endpoint("a"))
        let push = try ZMQSocket(.push, in: context)
        try push.setHighWaterMark(send: 10, receive: 10)
        try push.setImmediate(true)
        try push.connect(directory.endpoint("a"))
        #expect(try push.wait(for: .writable, timeout: .seconds(10)))
        // Large frames, so that the socket's own buffers hold few of them.
        let frame = [UInt8](repeating: 7, count: 200_000)
        var sent = 0
        while sent < 10_000, try push.send(frame) { sent += 1 }
        #expect((10...100).contains(sent), "\(sent) frames were queued")
    }

    @Test func aFrameLongerThanPermittedDoesNotArrive() throws {
        let pull = try ZMQSocket(.pull, in: context)
        try pull.setMaximumMessageBytes(100)
        try pull.bind(directory.endpoint("a"))
        let push = try ZMQSocket(.push, in: context)
        let monitor = try ZMQMonitor(of: push, name: "oversized")
        try push.connect(directory.endpoint("a"))
        try push.send([UInt8](repeating: 1, count: 101))
        var isDropped = false
        while !isDropped, try monitor.socket.wait(timeout: .seconds(10)) {
            while let event = try monitor.next() { isDropped = isDropped || event == .disconnected }
        }
        #expect(isDropped)
        // The connection comes back, and what is permitted passes: the control.
        try push.send([UInt8](repeating: 2, count: 100))
        #expect(try pull.wait(timeout: .seconds(10)))
        #expect(try pull.receive()?.first?.first == 2)
    }

    @Test func moreFramesThanPermittedAreDroppedButCounted() throws {
        let (left, right) = try pair()
        try left.send([[UInt8]](repeating: [1], count: 1000))
        #expect(try right.wait(timeout: .seconds(10)))
        #expect(try right.receiveMessage(maximumFrames: 4)?.frames.count == 5)
        #expect(try right.receive() == nil)
    }

    @Test func thePollerTellsSocketsAndDescriptorsApart() throws {
        let (left, right) = try pair()
        let (other, idle) = try pair(name: "idle")
        var poller = ZMQPoller()
        poller.add(right, key: 7)
        poller.add(idle, key: 8)
        poller.add(descriptor: 0x7FFF_FFFF, events: [], key: 9)
        poller.remove(key: 9)
        #expect(try poller.wait(timeout: .zero).isEmpty)
        try left.send([1])
        let ready = try poller.wait(timeout: .seconds(10))
        #expect(ready.map(\.key) == [7])
        #expect(ready.map(\.events) == [.readable])
        try other.send([1])
        #expect(try idle.wait(timeout: .seconds(10)))
        #expect(try Set(poller.wait(timeout: .seconds(10)).map(\.key)) == [7, 8])
    }

    /// libzmq signals a socket's descriptor once for all that came; what is left has to be asked for.
    @Test func thePollerMissesNothingThatAnotherCallTookTheNewsOf() throws {
        let (left, right) = try pair()
        var poller = ZMQPoller()
        poller.add(right, key: 1)
        #expect(try poller.wait(timeout: .zero).isEmpty)
        for number: UInt8 in 0..<3 { try left.send([number]) }
        // Ready and not looked at: ready again.
        #expect(try poller.wait(timeout: .seconds(10)).map(\.key) == [1])
        #expect(try poller.wait(timeout: .seconds(10)).map(\.key) == [1])
        // One of three taken.
        #expect(try right.receive() == [[0]])
        #expect(try poller.wait(timeout: .seconds(10)).map(\.key) == [1])
        // The news taken by a question that is not this poller's.
        #expect(try right.receive() == [[1]])
        #expect(try right.receive() == [[2]])
        #expect(try poller.wait(timeout: .zero).isEmpty)
        try left.send([3])
        #expect(try right.wait(timeout: .seconds(10)))
        #expect(try poller.wait(timeout: .seconds(10)).map(\.key) == [1])
        // The news taken by a send.
        #expect(try right.receive() == [[3]])
        #expect(try poller.wait(timeout: .zero).isEmpty)
        try left.send([4])
        try right.send([9])
        #expect(try poller.wait(timeout: .seconds(10)).map(\.key) == [1])
        #expect(try right.receive() == [[4]])
        #expect(try poller.wait(timeout: .milliseconds(5)).isEmpty)
    }

    /// poll(2) below libzmq ends with EINTR where a signal comes, whatever its time.
    @Test func aSignalEndsNoQuestionAndNoConnection() throws {
        let (left, right) = try pair()
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in signals.add(1, ordering: .relaxed) }
        var former = sigaction()
        try #require(sigaction(SIGURG, &action, &former) == 0)
        defer { sigaction(SIGURG, &former, nil) }
        // Threads of Dispatch take no signals by themselves.
        var mask = sigset_t()
        var formerMask = sigset_t()
        sigemptyset(&mask)
        sigaddset(&mask, SIGURG)
        pthread_sigmask(SIG_UNBLOCK, &mask, &formerMask)
        defer { pthread_sigmask(SIG_SETMASK, &formerMask, nil) }
        let before = signals.load(ordering: .relaxed)
        let asking = pthread_self()
        let isOver = Mutex(false)
        let ended = DispatchSemaphore(value: 0)
        let thread = Thread {
            while !isOver.withLock({ $0 }) { pthread_kill(asking, SIGURG) }
            ended.signal()
        }
        thread.start()
        defer {
            isOver.withLock { $0 = true }
            ended.wait()
        }
        var poller = ZMQPoller()
        poller.add(right, key: 1)
        let deadline = ContinuousClock.now + .seconds(20)
        var number = 0
        while signals.load(ordering: .relaxed) - before < 20_000, .now < deadline {
            number += 1
            #expect(try !right.events.contains(.readable))
            #expect(try poller.wait(timeout: .zero).isEmpty)
            guard number % 1000 == 0 else { continue }
            let other = try ZMQSocket(.pull, in: context)
            try other.bind(directory.endpoint("signals"))
            try other.unbind(directory.endpoint("signals"))
            try other.connect(directory.endpoint("nobody"))
            try other.disconnect(directory.endpoint("nobody"))
        }
        #expect(signals.load(ordering: .relaxed) - before >= 20_000)
        withExtendedLifetime(left) {}
    }

    @Test func aSocketStandsInAPollerOnce() async throws {
        await #expect(processExitsWith: .failure) {
            let socket = try ZMQSocket(.pull, in: ZMQContext())
            var poller = ZMQPoller()
            poller.add(socket, key: 1)
            poller.add(socket, events: .writable, key: 2)
        }
        // Under its own key it is replaced.
        var poller = ZMQPoller()
        let (left, right) = try pair()
        poller.add(right, events: .writable, key: 1)
        #expect(try poller.wait(timeout: .seconds(10)).map(\.events) == [.writable])
        poller.add(right, key: 1)
        #expect(try poller.wait(timeout: .zero).isEmpty)
        withExtendedLifetime(left) {}
    }

    /// libzmq takes a ROUTER's first routing id from rand(3): what is drawn anew for each context is
    /// nobody's to guess. In a process of its own, where nobody else draws.
    @Test func routingIDsBeginElsewhereInEachContext() async {
        await #expect(processExitsWith: .success) {
            /// The id that a ROUTER gives its first peer.
            func firstID(_ prepare: () -> Void, _ seed: () -> Void) throws -> [UInt8] {
                prepare()
                let context = try ZMQContext()
                seed()
                let router = try ZMQSocket(.router, in: context)
                try router.bind("inproc://ids")
                let dealer = try ZMQSocket(.dealer, in: context)
                try dealer.connect("inproc://ids")
                try dealer.send([1])
                return try #require(try router.receive(nonblocking: false)?.first)
            }
            // The control: the same seed gives the same id.
            let known = try firstID({}, { srand(7) })
            #expect(try firstID({}, { srand(7) }) == known)
            let ids = try (0..<8).map { _ in try firstID({ srand(7) }, {}) }
            #expect(Set(ids).count == ids.count)
            #expect(!ids.contains(known))
        }
    }

    @Test func errorsNameOperationAndSubject() throws {
        let socket = try ZMQSocket(.pull, in: context)
        let error = #expect(throws: ZeroMQError.self) {
            try socket.bind("ipc:///nonexistent/directory/x")
        }
        #expect(error?.operation == "bind")
        #expect(
            error?.description
                == "cannot bind \"ipc:///nonexistent/directory/x\": No such file or directory")
    }

    @Test func aSocketOutlivesTheLastOtherHolderOfItsContext() throws {
        func open() throws -> ZMQSocket { try ZMQSocket(.pull, in: ZMQContext()) }
        let socket = try open()
        try socket.bind(directory.endpoint("a"))
        #expect(try socket.lastEndpoint == directory.endpoint("a"))
    }

    private func pair(name: String = "pair") throws -> (ZMQSocket, ZMQSocket) {
        let left = try ZMQSocket(.pair, in: context)
        try left.bind("inproc://\(name)")
        let right = try ZMQSocket(.pair, in: context)
        try right.connect("inproc://\(name)")
        return (left, right)
    }
}
