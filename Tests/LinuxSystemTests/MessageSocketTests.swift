// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import SystemPackage
import Testing

@testable import LinuxSystem

/// Messages and the descriptors that come with them, on the real kernel.
struct MessageSocketTests {
    /// What came, in a form that can be compared.
    private enum Seen: Equatable {
        case message([UInt8], descriptors: Int)
        case malformed, nothing, closed
        case lacksDescriptors(Int)
    }

    private func see(
        _ socket: borrowing MessageSocket, room: Int = 8, maximum: Int = 0
    ) throws -> Seen {
        var bytes = [UInt8](repeating: 0, count: room)
        let received = try socket.receive(into: &bytes, maximumDescriptors: maximum)
        switch consume received {
        case .message(let count, let descriptors):
            return .message(Array(bytes[..<count]), descriptors: descriptors.count)
        case .malformed: return .malformed
        case .lacksDescriptors(let count): return .lacksDescriptors(count)
        case .nothing: return .nothing
        case .closed: return .closed
        }
    }

    private func send(
        _ bytes: [UInt8], by socket: borrowing MessageSocket, passing descriptors: [Int32] = []
    ) throws {
        try socket.send(bytes, passing: descriptors)
    }

    private func openDescriptors() throws -> Int {
        try Directory("/proc/self/fd").entries(limit: 100_000).entries.count
    }

    @Test func keepsMessagesApart() throws {
        let pair = try MessageSocket.Pair()
        try send([1, 2], by: pair.ours)
        try send([3], by: pair.ours)
        #expect(try see(pair.theirs) == .message([1, 2], descriptors: 0))
        #expect(try see(pair.theirs) == .message([3], descriptors: 0))
        #expect(try see(pair.theirs) == .nothing)
    }

    @Test func aMessageComesInAnArrayOfItsOwn() throws {
        let pair = try MessageSocket.Pair()
        try send([1, 2], by: pair.ours)
        try send([1, 2, 3], by: pair.ours)
        var bytes: [UInt8] = [9]
        guard case .message(2, _) = try pair.theirs.receive(into: &bytes, upTo: 2) else {
            Issue.record("no message came")
            return
        }
        #expect(bytes == [1, 2])
        guard case .malformed = try pair.theirs.receive(into: &bytes, upTo: 2) else {
            Issue.record("a longer one was taken")
            return
        }
        #expect(bytes.isEmpty)
        pair.ours.close()
        guard case .closed = try pair.theirs.receive(into: &bytes, upTo: 2, isPatient: true) else {
            Issue.record("the end was not told")
            return
        }
    }

    @Test func aMessageBeyondItsRoomIsMalformed() throws {
        let pair = try MessageSocket.Pair()
        try send([1, 2, 3], by: pair.ours)
        #expect(try see(pair.theirs, room: 2) == .malformed)
        #expect(try see(pair.theirs) == .nothing)
    }

    @Test func descriptorsComeAsFarAsTheyArePermitted() throws {
        let pair = try MessageSocket.Pair()
        let pipe = try Pipe()
        try send([1], by: pair.ours, passing: [pipe.writing.number, pipe.reading.number])
        var room = [UInt8](repeating: 0, count: 1)
        let received = try pair.theirs.receive(into: &room, maximumDescriptors: 2)
        guard case .message(1, var descriptors) = consume received else {
            Issue.record("no message came")
            return
        }
        let writing = descriptors.take(0)
        #expect(fcntl(writing.number, F_GETFD) == FD_CLOEXEC)
        try writing.write([9])
        var byte = [UInt8](repeating: 0, count: 1)
        #expect(try pipe.reading.read(into: &byte) == 1)
        #expect(byte == [9])
    }

    @Test(arguments: 0...3)
    func moreThanPermittedAreClosed(permitted: Int) throws {
        let pair = try MessageSocket.Pair()
        let pipe = try Pipe()
        let before = try openDescriptors()
        try send([1], by: pair.ours, passing: Array(repeating: pipe.reading.number, count: 4))
        #expect(try see(pair.theirs, maximum: permitted) == .malformed)
        #expect(try openDescriptors() == before)
        // The control: as many as are permitted do come, and go with the message.
        try send([1], by: pair.ours, passing: Array(repeating: pipe.reading.number, count: 4))
        #expect(try see(pair.theirs, maximum: 4) == .message([1], descriptors: 4))
        #expect(try openDescriptors() == before)
    }

    @Test func theOthersEndIsTold() throws {
        let pair = try MessageSocket.Pair()
        let ours = pair.ours
        pair.theirs.close()
        #expect(try see(ours) == .closed)
        #expect(throws: Errno.brokenPipe) { try send([1], by: ours) }
    }

    @Test func aFullSocketSaysSo() throws {
        let pair = try MessageSocket.Pair()
        var sent = 0
        var last: Errno?
        while last == nil, sent < 1_000_000 {
            do throws(Errno) {
                try pair.ours.send([UInt8](repeating: 0, count: 256))
                sent += 1
            } catch {
                last = error
            }
        }
        #expect(last == .wouldBlock)
        #expect(sent > 0)
    }
}
