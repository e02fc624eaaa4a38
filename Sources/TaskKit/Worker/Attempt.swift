// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// An attempt in the worker: its record and its socket.
final class Attempt {
    var record: AttemptRecord
    let socket: AttemptSocket
    /// Whether the task's frames are read: from its last layer on, until it closes its end.
    var isListening = false
    /// Whether the task closed its end.
    var isClosed = false

    init(record: AttemptRecord, socket: consuming AttemptSocket) {
        self.record = record
        self.socket = socket
    }
}
