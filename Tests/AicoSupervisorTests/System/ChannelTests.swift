// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import LinuxSystem
import Testing

@testable import AicoSupervisor

/// The channel over a real socket pair; the test is the scheduler.
@Suite struct ChannelTests {
    let ours: Channel
    let theirs: Int32

    init() throws {
        let pair = try MessageSocket.Pair()
        ours = Channel(pair.ours)
        theirs = pair.theirs.release()
    }

    private func say(_ bytes: [UInt8]) throws {
        try #require(send(theirs, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }

    private static let launch = SupervisorMessage(kind: .launch, worker: 3)

    @Test func messagesComeWholeAndInOrder() throws {
        try say(Self.launch.encoded())
        try say(SupervisorMessage(kind: .kill, worker: 2).encoded())
        #expect(ours.receive() == .message(Self.launch))
        #expect(ours.receive() == .message(.to(.kill, .agency)))
        #expect(ours.receive() == nil)
    }

    @Test func whatIsSentArrivesAsOneMessage() throws {
        let message = SupervisorMessage(
            kind: .exited, worker: 1, argument: -9, processID: .max,
            words: Array("last words".utf8))
        #expect(ours.send(message))
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = recv(theirs, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(count == SupervisorMessage.size)
        #expect(SupervisorMessage(decoding: Array(buffer.prefix(max(count, 0)))) == message)
    }

    @Test(arguments: [1, 2, 32, 255]) func aShortMessageIsAViolation(count: Int) throws {
        try say(Array(Self.launch.encoded().prefix(count)))
        #expect(ours.receive() == .violation(.undecodable))
    }

    @Test(arguments: [1, 32, 4096]) func aLongMessageIsAViolation(more: Int) throws {
        // Its first 256 bytes alone would be a message.
        try say(Self.launch.encoded() + [UInt8](repeating: 0, count: more))
        #expect(ours.receive() == .violation(.undecodable))
        #expect(ours.receive() == nil, "the rest of it is not taken for another one")
    }

    @Test(arguments: [0, 1, 2, 3, 16, 31, 32, 255]) func aMessageThatDoesNotDecodeIsAViolation(
        index: Int
    ) throws {
        var bytes = Self.launch.encoded()
        bytes[index] ^= 0x80
        try say(bytes)
        #expect(ours.receive() == .violation(.undecodable))
    }

    @Test func anEmptyMessageIsAViolation() throws {
        try say([])
        #expect(ours.receive() == .violation(.closed))
    }

    @Test func messagesBeforeTheCloseAreStillHeard() throws {
        let ours = try Self.ourEnd { number in
            let bytes = Self.launch.encoded()
            _ = send(number, bytes, bytes.count, 0)
        }
        #expect(ours.receive() == .message(Self.launch))
        #expect(ours.receive() == .violation(.closed))
    }

    @Test func aSendToAClosedEndFails() throws {
        let ours = try Self.ourEnd { _ in }
        #expect(!ours.send(Self.launch))
        #expect(ours.receive() == .violation(.closed))
    }

    @Test func aSchedulerThatDoesNotReadMakesSendingFailAndNeverBlocks() throws {
        var count = 0
        // The kernel's queue is bounded; a million messages are far beyond it.
        while count < 1_000_000, ours.send(Self.launch) { count += 1 }
        #expect(count > 0 && count < 1_000_000)
        // The control: after one is read there is room again.
        var buffer = [UInt8](repeating: 0, count: 64)
        while recv(theirs, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0 {}
        #expect(ours.send(Self.launch))
    }

    @Test func neitherEndOutlivesAnExec() {
        for number in [ours.descriptor, theirs] {
            #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        }
    }

    /// Our end of a channel whose other end does something and is closed then.
    private static func ourEnd(after act: (Int32) -> Void) throws -> Channel {
        let pair = try MessageSocket.Pair()
        act(pair.theirs.descriptor.number)
        return Channel(pair.ours)
    }
}
