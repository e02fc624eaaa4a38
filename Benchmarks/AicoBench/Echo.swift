// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import ZeroMQ

/// What a request costs without anything behind it: another process that gives an answer of the same
/// length back, over the same kinds of sockets, with CURVE, over a socket of the file system.
final class Echo {
    private static let word = "--serve-echo"

    private let server: pid_t
    private let context: ZMQContext
    private let socket: ZMQSocket
    private let request: [[UInt8]]
    private var poller = ZMQPoller()

    /// Starts the server; `path` is that of its socket.
    init(
        _ arguments: BenchArguments, path: String, request: [[UInt8]], answerBytes: Int
    ) throws {
        let keys = try CurveKeyPair.generate()
        // A key of this one run, that opens nothing: it may be seen on a command line.
        server = try Spawn.start([
            "\(arguments.bin)/aico-bench", Self.word, path, keys.secretKey, "\(answerBytes)",
        ])
        self.request = request
        context = try ZMQContext()
        socket = try ZMQSocket(.dealer, in: context)
        try socket.useCurve(serverKey: keys.publicKey, keys: try CurveKeyPair.generate())
        try socket.connect("ipc://\(path)")
        poller.add(socket, key: 0)
        try ask()
    }

    /// One request and its answer.
    func ask() throws {
        guard try socket.send(request) else { throw BenchError("the echo takes nothing") }
        while try socket.receive() == nil {
            guard try !poller.wait(timeout: .seconds(10)).isEmpty else {
                throw BenchError("the echo says nothing")
            }
        }
    }

    func end() {
        kill(server, SIGKILL)
        var status: Int32 = 0
        waitpid(server, &status, 0)
    }

    /// In the server's process: serves until it is killed, or its parent is gone.
    static func serveIfAsked(_ words: [String]) throws {
        guard words.count == 5, words[1] == word, let answerBytes = Int(words[4]) else { return }
        let context = try ZMQContext()
        let door = try ZAPHandler(in: context)
        let socket = try ZMQSocket(.router, in: context)
        try socket.serveCurve(secretKey: words[3], domain: "echo", admittedBy: door)
        try socket.bind("ipc://\(words[2])")
        let answer = [UInt8](repeating: UInt8(ascii: "x"), count: answerBytes)
        var poller = ZMQPoller()
        poller.add(socket, key: 0)
        poller.add(door.socket, key: 1)
        let parent = getppid()
        while getppid() == parent {
            _ = try poller.wait(timeout: .seconds(1))
            try door.serve { _ in "bench" }
            while let frames = try socket.receive() {
                // Who asked, and what about.
                try socket.send(Array(frames.prefix(2)) + [answer])
            }
        }
        exit(0)
    }
}
