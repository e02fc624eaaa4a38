// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSandbox
import LinuxSystem

/// Runs attempts one after the other and prints what became of them.
struct FixtureWorker {
    let forkServer: ForkServer

    /// A scenario is `[capability bits in hex:]name[ argument]`. The first word may be `@together`
    /// (all at once; a refusal kills the others), `@stay` (lives on at the end), `@bad KIND` (an
    /// order that no worker sends), `@control` (the worker itself, outside the last layers),
    /// `@steps` (each begins once a byte comes through the class's /tmp/step),
    /// `@beside` (the others while the first one, which says something and stays, lives) or
    /// `@large MEGABYTES` (the worker holds memory).
    func run(_ scenarios: [String]) throws {
        let mode = scenarios.first.flatMap { $0.hasPrefix("@") ? $0 : nil } ?? ""
        guard Attack.listenAbstract("aico-fixture") else { exit(5) }
        if mode.hasPrefix("@bad ") { return try BadOrder.send(mode, to: forkServer, line: line) }
        if mode.hasPrefix("@large ") {
            Harm.take(megabytes: Int(mode.dropFirst("@large ".count)) ?? 0)
        }
        let steps = mode == "@steps" ? openSteps() : -1
        var channels: [UInt64: Int32] = [:]
        for (index, scenario) in scenarios.dropFirst(mode.isEmpty ? 0 : 1).enumerated() {
            if mode == "@control" {
                say("said \(Scenario.run(scenario))")
                continue
            }
            if steps >= 0 { awaitStep(steps) }
            let attempt = UInt64(index + 1)
            channels[attempt] = try start(attempt, scenario)
            if scenario.hasSuffix("!kill") { try awaitConfined(then: attempt) }
            if mode == "@beside", attempt == 1 {
                var waiting = pollfd(fd: channels[1] ?? -1, events: Int16(POLLIN), revents: 0)
                poll(&waiting, 1, -1)
            } else if mode != "@together" {
                try drain(&channels, leaving: mode == "@beside" ? 1 : 0)
            }
        }
        if mode == "@beside" {
            say(channels[1] == nil ? "first gone" : "first lives")
            try forkServer.kill(attempt: 1)
        }
        try drain(&channels)
        if steps >= 0 { awaitStep(steps) }
        say("done caps=\(workerCapabilities())")
        if mode == "@stay" { while true { pause() } }
    }

    private func openSteps() -> Int32 {
        mkfifo("/tmp/step", 0o600)
        return open("/tmp/step", O_RDWR | O_CLOEXEC)
    }

    private func awaitStep(_ steps: Int32) {
        say("step")
        var byte: UInt8 = 0
        if read(steps, &byte, 1) != 1 { exit(8) }
    }

    private func start(_ attempt: UInt64, _ scenario: String) throws -> Int32 {
        let parts = scenario.split(separator: ":", maxSplits: 1)
        let capabilities = parts.count == 2 ? UInt64(parts[0], radix: 16) ?? 0 : 0
        let pair = try MessageSocket.Pair()
        try pair.ours.send(Array((parts.last ?? "").utf8))
        try forkServer.spawn(
            attempt: attempt, capabilities: capabilities,
            socket: pair.theirs.descriptor.number)
        pair.theirs.close()
        return pair.ours.release()
    }

    /// Prints events until so many attempts are left.
    private func drain(_ channels: inout [UInt64: Int32], leaving rest: Int = 0) throws {
        while channels.count > rest {
            guard let event = try next() else { continue }
            say(line(of: event))
            switch event {
            case .ended(let attempt, _, _, _):
                guard let channel = channels.removeValue(forKey: attempt) else { exit(3) }
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let count = recv(channel, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count > 0 {
                    say("said \(String(decoding: buffer.prefix(count), as: UTF8.self))")
                }
                close(channel)
            case .closed: exit(4)
            case .refused:
                for attempt in channels.keys { try forkServer.kill(attempt: attempt) }
            case .confined, .denied: break
            }
        }
    }

    private func awaitConfined(then attempt: UInt64) throws {
        while true {
            guard let event = try next() else { continue }
            say(line(of: event))
            if case .confined(attempt, _, _) = event { break }
        }
        try forkServer.kill(attempt: attempt)
        // Of an attempt that never was: ignored.
        try forkServer.kill(attempt: 999)
    }

    private func next() throws -> ForkServerEvent? {
        var waiting = pollfd(fd: forkServer.descriptor, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, -1)
        return try forkServer.receive()
    }

    private func line(of event: ForkServerEvent) -> String {
        switch event {
        case .confined(_, let held, let missing):
            "confined held=\(held.map(\.name).joined(separator: ",")) missing="
                + missing.map { "\($0.layer.name)/\($0.errno)/\($0.detail)" }
                .joined(separator: ",")
        case .refused(_, let layer, let errno, let detail):
            "refused \(layer.name) \(errno) \(detail)"
        case .denied(_, let name, let number, let arguments):
            "denied \(name) \(number) \(arguments)"
        case .ended(_, let status, let wall, let usage):
            "ended status=\(status.word) oom=\(usage.outOfMemoryKills) "
                + "pids=\(usage.processLimitHits) code=\(usage.codeMemoryRefusals) peak=\(usage.peakMemoryBytes ?? 0) "
                + "wall=\(wall)"
        case .closed: "closed"
        }
    }

    private func workerCapabilities() -> String {
        Scenario.fields(of: "/proc/self/status", ["CapPrm", "CapEff", "CapBnd", "CapAmb"])
    }
}
