// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import Testing
import ZeroMQ

@testable import BusClient

@Suite(.serialized) struct BusClientTests {
    let directory: TemporaryDirectory
    var endpoint: String { directory.endpoint("bus.sock") }

    init() throws { directory = try TemporaryDirectory() }

    private func client(
        _ bus: TestBus, keys: CurveKeyPair? = nil, serverKey: String? = nil,
        timeout: Duration = .seconds(20)
    ) throws -> BusClient {
        try BusClient(
            endpoint: endpoint, serverKey: serverKey ?? bus.serverKey,
            clientKeys: keys ?? bus.admin, timeout: timeout)
    }

    @Test func theAdminIsAdmittedAndAnswered() throws {
        let bus = try TestBus(in: directory)
        let client = try client(bus)
        for number in 0..<20 {
            let body: JSONValue = ["n": .int(number)]
            #expect(
                try client.request(topic: "echo", body: body)
                    == ["body": body, "user": "admin"])
        }
        try bus.end()
    }

    @Test func aRefusalCarriesCodeMessageAndHint() throws {
        let bus = try TestBus(in: directory)
        let error = #expect(throws: BusError.self) {
            try client(bus).request(topic: "nonsense", body: [:])
        }
        #expect(error == .refused(code: "unknown_topic", message: "unknown", hint: "try echo"))
        #expect(error?.code == .unknownTopic)
        try bus.end()
    }

    @Test func anUnknownKeyIsRefusedByName() throws {
        let bus = try TestBus(in: directory)
        let stranger = try client(bus, keys: .generate())
        #expect(
            throws: BusError.notAdmitted(
                endpoint: endpoint, reason: "the scheduler does not know this key")
        ) { try stranger.request(topic: "echo", body: [:]) }
        try bus.end()
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to become another user"))
    func aSocketOfOthersIsToldAsSuch() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let endpoint = directory.endpoint("bus.sock")
            let context = try ZMQContext()
            let socket = try ZMQSocket(.router, in: context)
            try socket.bind(endpoint)
            let path = String(endpoint.dropFirst("ipc://".count))
            guard let end = path.lastIndex(of: "/"), chmod(String(path[..<end]), 0o755) == 0,
                chmod(path, 0o600) == 0, Listener(at: endpoint) == .open, seteuid(61990) == 0
            else { exit(2) }
            let client = try BusClient(
                endpoint: endpoint, serverKey: CurveKeyPair.generate().publicKey,
                clientKeys: .generate(), timeout: .seconds(20))
            do {
                _ = try client.request(topic: "echo", body: [:])
                exit(3)
            } catch let error as BusError {
                guard case .notAdmitted(_, "its socket is not for this user") = error,
                    error.hint.contains("usermod -aG aico"), error.hint.contains("bus.sockets_for")
                else { exit(4) }
            }
            guard seteuid(0) == 0 else { exit(5) }
            withExtendedLifetime((socket, directory)) {}
        }
    }

    @Test func aWrongServerKeyIsRefusedByName() throws {
        let bus = try TestBus(in: directory)
        let stranger = try client(bus, serverKey: CurveKeyPair.generate().publicKey)
        #expect(
            throws: BusError.notAdmitted(
                endpoint: endpoint,
                reason: "the scheduler there is not the one that the key file names")
        ) { try stranger.request(topic: "echo", body: [:]) }
        try bus.end()
    }

    @Test func whereNobodyListensTheRequestFailsAtOnce() throws {
        let keys = try CurveKeyPair.generate()
        let client = try BusClient(
            endpoint: endpoint, serverKey: keys.publicKey, clientKeys: keys,
            timeout: .seconds(600))
        #expect(throws: BusError.noDaemon(endpoint: endpoint)) {
            try client.request(topic: "echo", body: [:])
        }
    }

    /// connect(2) says EAGAIN there, which libzmq passes on as if nobody listened.
    @Test func whereTheQueueOfConnectionsIsFullTheDaemonIsBusy() throws {
        let path = "\(directory.path)/bus.sock"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        func open(_ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
            let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue
            let descriptor = socket(AF_UNIX, Int32(type), 0)
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    call(descriptor, $0, length)
                }
            }
            if result == 0 { return descriptor }
            close(descriptor)
            return -1
        }
        let server = open { bind($0, $1, $2) }
        try #require(server >= 0)
        try #require(listen(server, 0) == 0)
        var waiting: [Int32] = []
        defer { for descriptor in waiting + [server] { close(descriptor) } }
        #expect(Listener(at: endpoint) == .open)
        while case let descriptor = open({ connect($0, $1, $2) }), descriptor >= 0 {
            waiting.append(descriptor)
            try #require(waiting.count < 100)
        }
        #expect(Listener(at: endpoint) == .full)
        let keys = try CurveKeyPair.generate()
        let client = try BusClient(
            endpoint: endpoint, serverKey: keys.publicKey, clientKeys: keys,
            timeout: .milliseconds(300))
        let error = #expect(throws: BusError.self) { try client.request(topic: "echo", body: [:]) }
        #expect(error == .crowded(endpoint: endpoint, after: .milliseconds(300)))
        #expect(error?.hint.contains("aico-scheduler") == true)
        #expect(Listener(at: directory.endpoint("nobody")) == .missing)
    }

    @Test func aSilentDaemonIsGivenUp() throws {
        let bus = try TestBus(in: directory)
        let client = try client(bus, timeout: .milliseconds(300))
        #expect(
            throws: BusError.silent(
                endpoint: endpoint, after: .milliseconds(300), isSent: true)
        ) { try client.request(topic: "silence", body: [:]) }
        #expect(throws: Never.self) { try client.request(topic: "echo", body: [:]) }
        try bus.end()
    }

    /// A peer that never finishes a handshake, as a stopped daemon, is no wrong key; nor is one
    /// that gives a handshake up when its own time for it is over.
    @Test func aDaemonThatDoesNotGetAroundToAHandshakeIsSilent() throws {
        let bus = try TestBus(in: directory)
        let connection = try BusConnection(
            .dealer, endpoint: endpoint, serverKey: CurveKeyPair.generate().publicKey,
            keys: bus.admin, context: ZMQContext(), waitsForDaemon: false, promptly: .zero)
        #expect(try connection.turn(until: .now + .milliseconds(500)) == .timeout)
        #expect(!connection.isEstablished)
        try bus.end()
    }

    @Test func anAnswerThatIsNoReplyIsRefused() throws {
        let bus = try TestBus(in: directory)
        let error = #expect(throws: BusError.self) {
            try client(bus).request(topic: "noise", body: [:])
        }
        guard case .badReply = error else {
            Issue.record("expected a bad reply, got \(String(describing: error))")
            return
        }
        try bus.end()
    }

    @Test func anOversizedRequestIsRefusedBeforeItIsSent() throws {
        let bus = try TestBus(in: directory)
        let text = String(repeating: "x", count: BusLimits.maximumRequestBytes)
        let error = #expect(throws: BusError.self) {
            try client(bus).request(topic: "echo", body: ["x": .string(text)])
        }
        guard case .requestTooLarge = error else {
            Issue.record("expected a refusal, got \(String(describing: error))")
            return
        }
        try bus.end()
    }

    @Test func aSubscriptionMissesNothingFromItsReturnOn() throws {
        let bus = try TestBus(in: directory)
        let client = try client(bus)
        try client.subscribe()
        for _ in 0..<10 { _ = try client.request(topic: "echo", body: ["do": "publish"]) }
        for _ in 0..<10 {
            let event = try client.nextEvent(timeout: .seconds(20))
            #expect(event?.topic == BusEventTopic.health.rawValue)
            #expect(event?.data == ["status": "ok"])
        }
        #expect(try client.nextEvent(timeout: .zero) == nil)
        try bus.end()
    }

    @Test func eventsAreRefusedToAnUnknownKey() throws {
        let bus = try TestBus(in: directory)
        let stranger = try client(bus, keys: .generate())
        let error = #expect(throws: BusError.self) { try stranger.subscribe() }
        guard case .notAdmitted = error else {
            Issue.record("expected a refusal, got \(String(describing: error))")
            return
        }
        try bus.end()
    }

    @Test func aDaemonThatGoesAwayIsToldFromOneThatIsSilent() throws {
        let bus = try TestBus(in: directory)
        let client = try client(bus)
        try client.subscribe()
        try bus.end()
        #expect(throws: BusError.connectionLost(endpoint: directory.endpoint("events.sock"))) {
            try client.nextEvent(timeout: .seconds(20))
        }
    }
}

@Suite struct ClientKeyFileTests {
    let directory: TemporaryDirectory
    let file: ClientKeyFile

    init() throws {
        directory = try TemporaryDirectory()
        file = try ClientKeyFile(
            keys: .generate(), serverKey: CurveKeyPair.generate().publicKey, role: .operator)
    }

    @Test func aWrittenFileIsReadBack() throws {
        let path = try directory.write(file.text, to: "a.key", mode: 0o640)
        #expect(try ClientKeyFile.read(path: path) == file)
    }

    @Test(arguments: [0o644, 0o604, 0o602, 0o660])
    func aFileThatOthersCouldReadOrChangeIsRefused(mode: Int) throws {
        let path = try directory.write(file.text, to: "a.key", mode: mode)
        let error = BusError.badKeyFile(path: path, reason: "others may read or change it")
        #expect(throws: error) { try ClientKeyFile.read(path: path) }
        #expect(error.hint.hasPrefix("type: chmod 0440 '\(path)', "))
        let mended = try directory.write(file.text, to: "b.key", mode: 0o440)
        #expect(try ClientKeyFile.read(path: mended) == file)
    }

    @Test func aMissingFileIsNamed() {
        #expect(
            throws: BusError.badKeyFile(path: "/nonexistent", reason: "No such file or directory")
        ) { try ClientKeyFile.read(path: "/nonexistent") }
    }

    @Test func aDirectoryAndALongFileAreRefused() throws {
        #expect(throws: BusError.self) { try ClientKeyFile.read(path: directory.path) }
        let path = try directory.write(
            String(repeating: "x", count: 5000), to: "long", mode: 0o600)
        #expect(throws: BusError.badKeyFile(path: path, reason: "longer than 4096 bytes")) {
            try ClientKeyFile.read(path: path)
        }
    }

    @Test func faultyTextsAreRefusedWithoutShowingKeys() throws {
        let lines = file.text.split(separator: "\n").map(String.init)
        let faults = [
            "", lines.dropLast().joined(separator: "\n"),
            (lines + [lines[0]]).joined(separator: "\n"),
            (lines + ["extra x"]).joined(separator: "\n"),
            file.text.replacing("operator", with: "king"),
            file.text.replacing(
                file.keys.publicKey, with: try CurveKeyPair.generate().publicKey),
            file.text.replacing(file.serverKey, with: "short"),
        ]
        for fault in faults {
            let error = #expect(throws: BusError.self) {
                try ClientKeyFile.parse(fault, path: "a.key")
            }
            #expect(error?.description.contains(file.keys.secretKey) == false)
        }
    }
}
