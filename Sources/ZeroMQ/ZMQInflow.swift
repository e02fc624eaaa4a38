// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CZeroMQ

/// Bounds the bytes that libzmq takes from a connection before a whole message comes of them.
///
/// Counts are the process's own, by descriptor; see inflow.h.
public enum ZMQInflow {
    /// The bytes that all watched connections have sent and nobody took.
    public static var heldBytes: Int { Int(aico_inflow_held()) }

    /// Whether bytes are counted at all: not where another library's recv(2) stands before this one.
    public static var works: Bool { aico_inflow_works() }

    /// Bounds all watched connections together.
    public static func limit(_ bytes: Int) { aico_inflow_limit(Int64(bytes)) }

    /// Counts a connection from now on; one that passes `bytes` ends, and one that passes `message`
    /// while all together pass their limit. False where the descriptor cannot be watched.
    public static func watch(_ descriptor: Int32, bytes: Int, message: Int) -> Bool {
        aico_inflow_watch(descriptor, Int64(bytes), Int64(message))
    }

    /// A message of the connection was received.
    public static func taken(_ descriptor: Int32) { aico_inflow_taken(descriptor) }

    /// Forgets a connection that is gone; true where its bytes were what ended it.
    public static func end(_ descriptor: Int32) -> Bool { aico_inflow_end(descriptor) }
}
