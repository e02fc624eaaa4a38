// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// Bounds the audit lines that one client can cause by being refused: the first few stand alone,
/// the rest of a while is counted.
struct AuditBudget: Sendable {
    struct Key: Hashable, Comparable, Sendable {
        let actor: String
        let action: String

        static func < (left: Key, right: Key) -> Bool {
            (left.actor, left.action) < (right.actor, right.action)
        }
    }

    /// Lines since the count began.
    var counts: [Key: Int] = [:]
}

extension SchedulerCore {
    /// An entry of the audit log.
    func audit(
        _ actor: String, _ action: String, _ subject: String, _ detail: String = ""
    ) -> StoreChange {
        .audit(
            AuditEntry(
                at: now.wall, actor: actor, action: action, subject: subject, detail: detail))
    }

    /// Adds an entry that a client without any right can cause.
    mutating func auditBounded(
        _ actor: String, _ action: String, _ subject: String, _ detail: String
    ) {
        let key = AuditBudget.Key(actor: actor, action: action)
        audits.counts[key, default: 0] += 1
        if bootTimers.time(of: .audit) == nil {
            bootTimers.set(.audit, at: now.boot + settings.auditWindow)
        }
        guard audits.counts[key, default: 0] <= settings.auditsAlone else { return }
        write([audit(actor, action, subject, detail)])
    }

    /// The while is over: what was counted gets one line for each client and action.
    mutating func writeCountedAudits() {
        let seconds = settings.auditWindow.wholeMicroseconds / 1_000_000
        for (key, count) in audits.counts.sorted(by: { $0.key < $1.key })
        where count > settings.auditsAlone {
            write([
                audit(
                    key.actor, key.action, "",
                    "\(count - settings.auditsAlone) more in \(seconds) s")
            ])
        }
        audits.counts = [:]
    }
}
