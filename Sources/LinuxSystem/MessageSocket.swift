// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import CLinux
internal import Glibc
package import SystemPackage

/// A unix socket that keeps messages apart (SOCK_SEQPACKET) and passes descriptors with them.
package struct MessageSocket: ~Copyable, Sendable {
    /// Its descriptor.
    package let descriptor: Descriptor

    /// Takes ownership of a socket.
    package init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Closes it now.
    package consuming func close() {}

    /// Gives up ownership: whoever gets the number closes it.
    package consuming func release() -> CInt { descriptor.release() }

    /// Two sockets that are each other's end, close-on-exec.
    @frozen
    package struct Pair: ~Copyable {
        /// One end.
        package var ours: MessageSocket
        /// The other end.
        package var theirs: MessageSocket

        /// Makes both (socketpair(2)).
        package init() throws(Errno) {
            var ends: [CInt] = [-1, -1]
            let kind = CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
            _ = try system(.socketpair) { Int(socketpair(AF_UNIX, kind, 0, &ends)) }
            ours = MessageSocket(owning: Descriptor(owning: ends[0]))
            theirs = MessageSocket(owning: Descriptor(owning: ends[1]))
        }
    }

    /// Sends one message, whole, without waiting.
    ///
    /// - Throws: `.wouldBlock` where there is no room, `.brokenPipe` where nobody reads any more.
    package func send(_ bytes: [UInt8], passing descriptors: [CInt] = []) throws(Errno) {
        let number = descriptor.number
        _ = try system(.send) {
            Int(
                aico_message_send(
                    number, bytes, bytes.count, descriptors, Int32(descriptors.count)))
        }
    }

    /// Sends one message that is a value of fixed size.
    package func send<Value: BitwiseCopyable>(
        value: Value, passing descriptors: [CInt] = []
    ) throws(Errno) {
        var value = value
        let number = descriptor.number
        _ = try system(.send) {
            Int(
                aico_message_send(
                    number, &value, MemoryLayout<Value>.size, descriptors,
                    Int32(descriptors.count)))
        }
    }

    /// What came.
    package enum Received: ~Copyable {
        /// One message of so many bytes, and what was passed with it.
        case message(count: Int, descriptors: PassedDescriptors)
        /// A message that is longer than the room, or brings more than the permitted descriptors.
        case malformed
        /// A message whose descriptors this process has no number for (EMFILE): they are lost.
        case lacksDescriptors(count: Int)
        /// Nothing now.
        case nothing
        /// The other end is closed.
        case closed
    }

    /// Takes the next message, which lies at the beginning of `bytes` then; never waits.
    ///
    /// - Parameters:
    ///   - bytes: its length is the room there is; for a buffer that is used again and again.
    ///   - maximum: so many descriptors may come with it.
    package func receive(
        into bytes: inout [UInt8], maximumDescriptors maximum: Int = 0
    ) throws(Errno) -> Received {
        let room = bytes.count
        return try receive(maximum) { number, message in
            aico_message_receive(number, &bytes, room, Int32(maximum), 0, &message)
        }
    }

    /// Takes the next message into an array of its own; of the room for a long one a short one touches
    /// only what it fills.
    ///
    /// - Parameters:
    ///   - bytes: the message, empty where none came.
    ///   - capacity: no message may have more bytes.
    ///   - maximum: so many descriptors may come with it.
    ///   - isPatient: waits for one.
    package func receive(
        into bytes: inout [UInt8], upTo capacity: Int, maximumDescriptors maximum: Int = 0,
        isPatient: Bool = false
    ) throws(Errno) -> Received {
        try receive(maximum) { number, message in
            var result: CInt = -1
            bytes = [UInt8](unsafeUninitializedCapacity: capacity) { room, used in
                result = aico_message_receive(
                    number, room.baseAddress, capacity, Int32(maximum), isPatient ? 1 : 0, &message)
                used = result == 0 ? message.count : 0
            }
            return result
        }
    }

    /// Takes the next message, which must be a value of fixed size; another length is malformed.
    package func receive<Value: BitwiseCopyable>(
        into value: inout Value, maximumDescriptors maximum: Int = 0
    ) throws(Errno) -> Received {
        let size = MemoryLayout<Value>.size
        let received = try receive(maximum) { number, message in
            aico_message_receive(number, &value, size, Int32(maximum), 0, &message)
        }
        switch consume received {
        case .message(let count, let descriptors):
            return count == size
                ? .message(count: count, descriptors: descriptors) : .malformed
        case .lacksDescriptors(let count):
            return count == size ? .lacksDescriptors(count: count) : .malformed
        case .malformed: return .malformed
        case .nothing: return .nothing
        case .closed: return .closed
        }
    }

    private func receive(
        _ maximum: Int, _ call: (CInt, inout aico_message) -> CInt
    ) throws(Errno) -> Received {
        var message = aico_message()
        let number = descriptor.number
        do throws(Errno) {
            _ = try system(.receive) { Int(call(number, &message)) }
        } catch {
            switch error {
            case .wouldBlock: return .nothing
            case .connectionReset: return .closed
            case .badMessage: return .malformed
            case .tooManyOpenFiles: return .lacksDescriptors(count: message.count)
            default: throw error
            }
        }
        if message.count == 0, message.passed == 0 { return .closed }
        let passed = withUnsafeBytes(of: message.descriptors) {
            Array($0.bindMemory(to: CInt.self).prefix(Int(message.passed)))
        }
        return .message(count: message.count, descriptors: PassedDescriptors(passed))
    }
}

/// Descriptors that came with a message; closed with the value but for those taken.
package struct PassedDescriptors: ~Copyable, Sendable {
    private var numbers: [CInt]

    init(_ numbers: [CInt]) { self.numbers = numbers }

    deinit { for number in numbers where number >= 0 { close(number) } }

    /// How many came.
    package var count: Int { numbers.count }

    /// Gives one away; its caller owns it.
    package mutating func take(_ place: Int) -> Descriptor {
        defer { numbers[place] = -1 }
        return Descriptor(owning: numbers[place])
    }
}
