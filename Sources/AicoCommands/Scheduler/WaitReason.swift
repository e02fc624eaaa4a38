// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// What an execution waits for, why it has to, and since when.
struct WaitReason: Equatable {
    let reason: String
    let detail: String
    let since: Instant?
    /// The execution that waits, where what was read names it.
    let execution: String?

    /// Reads a reply or a status: nil where it does not wait in the queue.
    init?(queued data: JSONValue) {
        guard data["state"]?.string == "queued" else { return nil }
        self.init(data)
    }

    /// Reads an event that puts a start off.
    init(deferred data: JSONValue) { self.init(data) }

    /// Reads the member `waits` of a task or an execution; nil where it does not wait.
    init?(memberOf data: JSONValue) {
        guard let waits = data["waits"], waits.object != nil else { return nil }
        self.init(waits)
    }

    private init(_ data: JSONValue) {
        reason = data["reason"]?.string ?? "its turn"
        detail = data["detail"]?.string ?? ""
        since = data.instant("since")
        execution = data["execution"]?.string
    }

    /// `worker (class user takes no orders: its canary failed)`.
    var text: PlainText { detail.isEmpty ? "\(reason)" : "\(reason) (\(detail))" }

    /// `waits 3 min: cpu`, for a table.
    func cell(now: Instant) -> String {
        guard let since else { return "waits: \(reason)" }
        return "waits \(HumanTime.length(((now - since) / .seconds(1)).rounded())): \(reason)"
    }

    /// `since 2026-01-15T10:00:00Z (3 min ago) for cpu (the processors are busier than ...)`.
    func sentence(now: Instant) -> String {
        let when = since.map {
            "since \($0.iso8601.prefix(19))Z (\(HumanTime.relative($0, to: now))) "
        }
        return (when ?? "") + "for \(reason)" + (detail.isEmpty ? "" : " (\(detail))")
    }
}
