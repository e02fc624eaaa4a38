// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import BusClient
import Glibc
import Testing

/// A user of the host who may knock at the bus, and has no key.
@Suite(
    .serialized, .enabled(if: Built.canStart, Built.reason),
    .enabled(if: !Built.isGuest, "measures time, which an emulated processor has another of"))
struct CrowdTests {
    /// Of each wave: nothing is to be learnt of one alone on a machine that others use as well.
    private static let connections = 20_000
    private static let waves = 5

    /// What a service manager gives a service that says nothing of it, and less than a wave: whoever
    /// holds all that come meets the end of it.
    private static let starter = "ulimit -S -n 1024 && ulimit -H -n 8192 && exec \"$@\""

    @Test func twentyThousandConnectionsWithoutAKeyDelayNobodyAndEndNothing() throws {
        let instance = try Instance(starter: Self.starter)
        let client = try instance.client()
        let events = try instance.client()
        try events.subscribe(prefix: "scheduler.event.execution")
        let script = "until [ -e /aico/work/go ]; do sleep 0.1; done; echo through"
        try instance.makeTask("user.patient", argv: ["/bin/sh", "-c", script], client: client)
        let execution = try instance.run("user.patient", client: client)
        let scheduler = try Scheduler(of: instance)
        let crowd = try Crowd(at: "\(instance.root)/run/aico/bus/bus.sock")
        // What comes to be with the first of them is not counted.
        try crowd.open(1000)
        _ = try delays(of: client) { crowd.isAtRest }
        let before = try scheduler.settled { $0.descriptors < 400 }

        var quiet: [Duration] = []
        var crowded: [Duration] = []
        var most = 0
        for _ in 0..<Self.waves {
            let end = ContinuousClock.now + .milliseconds(500)
            quiet.append(try worst(delays(of: client) { .now > end }))
            try crowd.open(Self.connections)
            crowded.append(
                try worst(
                    delays(of: client) {
                        most = max(most, (try? scheduler.descriptors) ?? 0)
                        return crowd.isAtRest
                    }))
            #expect(!crowd.isGone, "\(crowd.said)")
        }
        print("\(Self.waves) waves of \(Self.connections): worst \(crowded), without \(quiet)")
        // The second best of the waves: other tests take their share of the processors meanwhile.
        #expect(crowded.sorted()[1] - median(quiet) < .milliseconds(100))
        // Those of two sockets that may stay, those that are about to go, and its own.
        #expect(most < 2000, "\(most) descriptors")

        #expect(try Scheduler(of: instance).processID == scheduler.processID)
        try crowd.end()
        let after = try scheduler.settled { $0.descriptors <= before.descriptors }
        #expect(after.descriptors <= before.descriptors)
        #expect(after.bytes - before.bytes < 32 << 20, "\(before) \(after)")
        try writeFile("", to: "\(instance.root)/var/lib/aico/work/go")
        try instance.waitForEnd(of: execution, events: events)
        let record = try instance.record(of: execution, client: client)
        #expect(record.outcome == "succeeded" && record.lines == ["through"])
        #expect(record.data["attempts"]?.int == 1, "\(record.data.text())")
        #expect(instance.stop() == 0)
    }

    /// How long each request took, one after the other until `isOver`; one at least.
    private func delays(of client: BusClient, until isOver: () -> Bool) throws -> [Duration] {
        var delays: [Duration] = []
        repeat {
            delays.append(
                try ContinuousClock().measure {
                    _ = try client.request(topic: "scheduler.task.list", body: [:])
                })
        } while !isOver()
        return delays
    }

    private func worst(_ delays: [Duration]) -> Duration { delays.max() ?? .zero }

    private func median(_ delays: [Duration]) -> Duration { delays.sorted()[delays.count / 2] }
}

/// `bus-crowd`, as a user who is in the socket's group and nobody else.
private final class Crowd {
    private let process: HostProcess
    private let orders: Int32
    /// Whether all that were asked for were opened.
    var isAtRest: Bool {
        if !isWaiting { return true }
        isWaiting = process.nextLine(within: .zero) == nil
        return !isWaiting || isGone
    }
    private var isWaiting = false
    var isGone: Bool { !process.isRunning }
    var said: [String] { process.lines }

    init(at path: String) throws {
        guard let bin = Built.directory else { throw HostError(step: "find bin", errno: ENOENT) }
        var status = stat()
        guard stat(path, &status) == 0 else { throw HostError(step: "stat \(path)", errno: errno) }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw HostError(step: "pipe", errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        orders = ends[1]
        process = try HostProcess(
            [
                "/usr/bin/setpriv", "--reuid", "65534", "--regid", "\(status.st_gid)",
                "--clear-groups", "\(bin)/bus-crowd", path,
            ], input: ends[0])
        close(ends[0])
    }

    func open(_ count: Int) throws {
        let line = "\(count)\n"
        guard write(orders, line, line.utf8.count) == line.utf8.count else {
            throw HostError(step: "order connections", errno: errno)
        }
        isWaiting = true
    }

    func end() throws {
        process.signal(SIGKILL)
        guard process.waitForEnd(within: Built.patience(seconds: 10)) != nil else {
            throw HostError(step: "end the crowd", errno: ETIMEDOUT)
        }
    }

    deinit { close(orders) }
}

/// The scheduler of a system, as the host sees it.
private struct Scheduler {
    struct State {
        var descriptors: Int
        var bytes: Int
    }

    let processID: Int32

    init(of instance: Instance) throws {
        let found = try instance.hostProcesses().first { $0.command.contains("aico-scheduler") }
        guard let found else { throw SystemFailure("there is no scheduler") }
        processID = found.processID
    }

    var descriptors: Int { get throws { try directoryEntries("/proc/\(processID)/fd").count } }

    /// Once it is what is expected, or when patience ends.
    func settled(_ isExpected: (State) -> Bool) throws -> State {
        let deadline = ContinuousClock.now + Built.patience(seconds: 10)
        while true {
            let words = try textOfFile("/proc/\(processID)/statm").split(separator: " ")
            let pages = words.dropFirst().first.flatMap { Int($0) } ?? 0
            let state = State(descriptors: try descriptors, bytes: pages * Int(getpagesize()))
            if isExpected(state) || ContinuousClock.now > deadline { return state }
            usleep(20_000)
        }
    }
}
