// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// What an execution waits for, and why it has to.
struct WaitReason: Equatable {
    let reason: String
    let detail: String

    /// Reads a reply or a status: nil where it does not wait in the queue.
    init?(queued data: JSONValue) {
        guard data["state"]?.string == "queued" else { return nil }
        self.init(data)
    }

    /// Reads an event that puts a start off.
    init(deferred data: JSONValue) { self.init(data) }

    private init(_ data: JSONValue) {
        reason = data["reason"]?.string ?? "its turn"
        detail = data["detail"]?.string ?? ""
    }

    /// `worker (class user takes no orders: its canary failed)`.
    var text: PlainText { detail.isEmpty ? "\(reason)" : "\(reason) (\(detail))" }
}
