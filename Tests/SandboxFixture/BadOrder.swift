// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSandbox
import LinuxSystem

/// Messages that a worker never sends; a fork server answers each with its end.
enum BadOrder {
    static func send(
        _ mode: String, to forkServer: ForkServer, line: (ForkServerEvent) -> String
    ) throws {
        var order = aico_fork_order()
        order.attempt = 1
        var size = MemoryLayout<aico_fork_order>.size
        var descriptor: Int32 = -1
        switch mode.dropFirst("@bad ".count) {
        case "short":
            order.kind = AICO_ORDER_KILL.rawValue
            size -= 1
        case "long":
            order.kind = AICO_ORDER_KILL.rawValue
            size += 8
        case "empty": size = 0
        case "unknown": order.kind = 77
        case "padding":
            order.kind = AICO_ORDER_KILL.rawValue
            order.lenient = 1
        case "spawn without a socket": order.kind = AICO_ORDER_SPAWN.rawValue
        case "kill with a socket":
            order.kind = AICO_ORDER_KILL.rawValue
            descriptor = 1
        case "kill with capabilities":
            order.kind = AICO_ORDER_KILL.rawValue
            order.capabilities = 1
        case "kill of none": order.kind = AICO_ORDER_KILL.rawValue
        default: exit(6)
        }
        let bytes = withUnsafeBytes(of: order) { Array($0) } + [0, 0, 0, 0, 0, 0, 0, 0]
        let passed = descriptor >= 0 ? [descriptor] : []
        guard
            aico_message_send(
                forkServer.descriptor, bytes, size, passed, Int32(passed.count)) == 0
        else { exit(7) }
        // Where the order was a good one, the fork server still serves the next.
        let pair = try MessageSocket.Pair()
        try? forkServer.spawn(
            attempt: 2, capabilities: 0, socket: pair.theirs.descriptor.number)
        pair.ours.close()
        while true {
            var waiting = pollfd(fd: forkServer.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, -1)
            guard let event = try forkServer.receive() else { continue }
            say(line(event))
            switch event {
            case .ended, .closed: return
            case .confined, .refused, .denied: continue
            }
        }
    }
}
