// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import Testing

@testable import AicoCommands

/// A scheduler that is there and says nothing, as one that was stopped.
@Suite(.serialized)
struct SilenceTests {
    @Test(arguments: [
        ["scheduler", "list"], ["scheduler", "list", "--watch"], ["scheduler", "run", "user.x"],
    ])
    func whoeverDoesNotAnswerIsNotCalledAWrongKey(arguments: [String]) throws {
        let root = try CommandRoot()
        let sockets = try ["bus.sock", "events.sock"].map {
            try DeafListener("\(root.path)/run/aico/bus/\($0)")
        }
        let run = CommandRun(arguments, root: root, patience: .milliseconds(300))
        #expect(run.status == 5)
        #expect(run.output == "")
        #expect(run.talk.hasPrefix("aico: cannot reach the scheduler at \"ipc://\(root.path)/"))
        #expect(run.talk.contains("\": it is there and did not answer within 0.3 s\nhint: see "))
        #expect(sockets.count == 2)
    }

    @Test func aRequestThatWasTakenMayBeCarriedOutYet() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in
            // Longer than the client waits; the bus answers nobody in the meantime.
            poll(nil, 0, 1500)
            return .data([:])
        }
        let run = CommandRun(
            ["scheduler", "run", "user.x"], root: root, patience: .milliseconds(500))
        #expect(run.status == 5)
        #expect(
            run.talk.hasPrefix(
                "aico: cannot say what became of the request: the scheduler at "))
        #expect(run.talk.contains("took it and did not answer within 0.5 s\nhint: "))
        #expect(bus.requests.map(\.topic) == [.taskRun])
    }

    @Test(arguments: [("here", "/here"), ("./a/../b c", "/b c")])
    func theHintNamesARootThatTheSupervisorTakes(root: String, end: String) throws {
        let run = CommandRun(["scheduler", "list", "--root", root])
        #expect(run.status == 5)
        let directory = AbsolutePath.of(".")
        let path = ShellWord.quoted(directory + end)
        #expect(run.talk.contains("\nhint: start it with \"aico-supervisor --root \(path)\""))
        #expect(AbsolutePath.of("/") == "/")
        #expect(directory.hasPrefix("/") && !directory.hasSuffix("/."))
    }
}

/// A socket that takes connections and never a byte of them.
final class DeafListener {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        try #require(path.utf8.count < MemoryLayout.size(ofValue: address.sun_path))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        try #require(isBound && listen(descriptor, 8) == 0)
    }

    deinit { close(descriptor) }
}
