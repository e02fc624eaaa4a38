// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing
import ZeroMQ

/// What is in the way of a socket, seen without one; that libzmq meets it, or takes it away, is the
/// control.
@Suite struct BindObstacleTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func aListenerOnAPathIsNamedAndAPathThatOneLeftIsFree() throws {
        let endpoint = directory.endpoint("bus")
        #expect(BindObstacle.find(at: endpoint) == nil)
        let context = try ZMQContext()
        let first = try ZMQSocket(.pull, in: context)
        try first.bind(endpoint)
        #expect(
            BindObstacle.find(at: endpoint)
                == .listener(processID: getpid(), user: geteuid()))
        // The control: libzmq takes it from whoever has it.
        let second = try ZMQSocket(.pull, in: context)
        try second.bind(endpoint)
        // Nobody listens at what a process that is gone has left.
        let left = directory.endpoint("left")
        try leaveSocket(at: String(left.dropFirst(6)))
        #expect(BindObstacle.find(at: left) == nil)
    }

    @Test func whatIsNoSocketIsNotReplaced() throws {
        let endpoint = directory.endpoint("file")
        close(open(String(endpoint.dropFirst(6)), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        #expect(BindObstacle.find(at: endpoint) == .file)
        let place = directory.endpoint("directory")
        mkdir(String(place.dropFirst(6)), 0o700)
        #expect(BindObstacle.find(at: place) == .file)
        let socket = try ZMQSocket(.pull, in: ZMQContext())
        #expect(throws: ZeroMQError.self) { try socket.bind(place) }
    }

    @Test func aPortThatIsTakenIsSeenAndAFreeOneIsNot() throws {
        let context = try ZMQContext()
        let first = try ZMQSocket(.pull, in: context)
        try first.bind("tcp://127.0.0.1:*")
        let endpoint = try first.lastEndpoint
        #expect(BindObstacle.find(at: endpoint) == .listener(processID: nil, user: nil))
        let second = try ZMQSocket(.pull, in: context)
        #expect(throws: ZeroMQError.self) { try second.bind(endpoint) }
        try first.unbind(endpoint)
        let deadline = ContinuousClock.now + .seconds(10)
        while BindObstacle.find(at: endpoint) != nil {
            try #require(ContinuousClock.now < deadline)
            sched_yield()
        }
        try second.bind(endpoint)
        // TEST-NET-1 of RFC 5737: an address of no machine.
        #expect(BindObstacle.find(at: "tcp://192.0.2.1:7801") == .refused(EADDRNOTAVAIL))
    }

    /// A socket's path whose socket is closed.
    private func leaveSocket(at path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
    }
}
