// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSandbox
import LinuxSystem

/// Times attempts one after the other: order, all layers, the task's word, the end of its tree.
enum Measurement {
    static func run(_ forkServer: ForkServer, count: Int) throws {
        var whole: [Double] = []
        var toConfined: [Double] = []
        for number in 0..<(count + 20) {
            let began = seconds()
            let confined = try attempt(forkServer, UInt64(number))
            guard number >= 20 else { continue }
            toConfined.append((confined - began) * 1000)
            whole.append((seconds() - began) * 1000)
        }
        say("confined \(quantiles(toConfined))")
        say("whole \(quantiles(whole))")
    }

    private static func attempt(_ forkServer: ForkServer, _ number: UInt64) throws -> Double {
        let pair = try MessageSocket.Pair()
        // Open until the attempt is over.
        let ours = pair.ours
        let theirs = pair.theirs
        try ours.send(Array("nothing".utf8))
        try forkServer.spawn(
            attempt: number, capabilities: 0, socket: theirs.descriptor.number)
        theirs.close()
        var confined = 0.0
        while true {
            var waiting = pollfd(fd: forkServer.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, -1)
            switch try forkServer.receive() {
            case .confined: confined = seconds()
            case .ended(_, .exited(code: 0), _, _): return confined
            case nil: continue
            case .some(let other):
                say("failed \(other)")
                exit(1)
            }
        }
    }

    private static func quantiles(_ times: [Double]) -> String {
        let sorted = times.sorted()
        func at(_ share: Double) -> Double { sorted[Int(share * Double(sorted.count - 1))] }
        let mean = times.reduce(0, +) / Double(times.count)
        return "mean=\(mean) p50=\(at(0.5)) p90=\(at(0.9)) p99=\(at(0.99)) max=\(at(1))"
    }

    private static func seconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
