// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient
import Foundation
import Synchronization
import ZeroMQ

enum Measure {
    /// The bytes of this process that are in memory.
    static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * 4096
    }

    /// How long each of a number of requests took, sorted.
    static func requests(_ client: BusClient, count: Int) throws -> [Duration] {
        let clock = ContinuousClock()
        return try (0..<count).map { _ in
            try clock.measure { _ = try client.request(topic: "echo", body: [:]) }
        }.sorted()
    }
}

/// Runs a body on a thread of its own again and again until it is ended.
final class Background: Sendable {
    private let isEnding = Mutex(false)
    private let ended = DispatchSemaphore(value: 0)

    init(_ make: @escaping @Sendable () throws -> () throws -> Void) {
        let thread = Thread { [self] in
            do {
                let step = try make()
                while !isEnding.withLock({ $0 }) { try step() }
            } catch {
                print("a greedy client ended: \(error)")
            }
            ended.signal()
        }
        thread.start()
    }

    func end() {
        isEnding.withLock { $0 = true }
        ended.wait()
    }
}
