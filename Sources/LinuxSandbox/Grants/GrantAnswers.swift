// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// The fork server's end of its class's keeper of grants: orders of one number, answers of fixed
/// size, and the page that says what is being looked at.
///
/// At most one order is open. While one is, the class's mounts may be changing, and no process may
/// be made.
final class GrantAnswers {
    /// The worker's descriptors for it; the class's cgroups follow.
    static let socketDescriptor: Int32 = 5
    static let pageDescriptor: Int32 = 6

    /// How long an attempt waits for an answer: more than its keeper may take.
    static let patience: UInt64 = 4_000_000_000

    private let socket: MessageSocket
    private let page: UnsafePointer<aico_grant_page>
    private let pageDescriptor: Descriptor
    /// Of the last order.
    private(set) var number: UInt64 = 0
    private var askedAt: UInt64 = 0
    /// Whether an order is open.
    private(set) var isAsked = false
    /// The last answer.
    private(set) var current = aico_grant_answer()

    init() throws(SandboxError) {
        guard let page = aico_grant_page_map(Self.pageDescriptor) else {
            throw SandboxError(
                operation: "find the keeper of grants", layer: .mounts, errno: errno)
        }
        self.page = page
        do throws(Errno) {
            socket = MessageSocket(owning: try Descriptor(inheriting: Self.socketDescriptor))
            pageDescriptor = try Descriptor(inheriting: Self.pageDescriptor)
        } catch {
            throw SandboxError(
                operation: "find the keeper of grants", layer: .mounts, errno: error.rawValue)
        }
    }

    /// Closes a worker's copies once its fork server has them.
    static func closeAll() {
        close(socketDescriptor)
        close(pageDescriptor)
    }

    /// For a poll set.
    var descriptor: Int32 { socket.descriptor.number }

    /// Whether an answer to the open order is still to be waited for.
    var isDue: Bool { isAsked && monotonicNanoseconds() - askedAt < Self.patience }

    /// Asks for a look; an answer to an earlier order counts no more.
    func ask() throws(Errno) {
        number += 1
        isAsked = true
        askedAt = monotonicNanoseconds()
        var order = aico_grant_order()
        order.number = number
        try socket.send(value: order)
    }

    /// Takes an answer; whether one came to what was asked last.
    func take() throws(Errno) -> Bool {
        while true {
            var answer = aico_grant_answer()
            switch try socket.receive(into: &answer) {
            case .nothing: return false
            case .message:
                guard answer.number == number else { continue }
                current = answer
                isAsked = false
                return true
            default: throw .badMessage
            }
        }
    }

    /// The number of the mount that is being looked at, where one is.
    var lookedAt: Int? {
        let number = Int(page.pointee.looking)
        return number == 0 ? nil : number - 1
    }
}

/// An order whose attempt waits for the class's grants to be looked at.
final class WaitingOrder {
    let order: aico_fork_order
    let taskSocket: Descriptor
    let deadline: UInt64
    /// The number of the first look that begins after the order came.
    let look: UInt64

    init(_ order: aico_fork_order, taskSocket: consuming Descriptor, look: UInt64) {
        self.order = order
        self.look = look
        self.taskSocket = taskSocket
        deadline = monotonicNanoseconds() + GrantAnswers.patience
    }
}
