// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import AicoKeys
import GRDB

extension TaskStore {
    /// Writes all changes in one transaction, in order; on return they are on the disk.
    ///
    /// A change that does not apply (an instant claimed before, a row that is not there) writes
    /// nothing and says so in its outcome; the others are written all the same. A thrown error
    /// means that nothing of the batch was written.
    @discardableResult
    package func perform(_ batch: [StoreChange]) throws(StoreError) -> [StoreOutcome] {
        var reachedCommit = false
        return try perform(batch, reachedCommit: &reachedCommit)
    }

    /// - Parameter reachedCommit: true where all statements ran, so that an error is the commit's.
    func perform(_ batch: [StoreChange], reachedCommit: inout Bool) throws(StoreError)
        -> [StoreOutcome]
    {
        guard !batch.isEmpty else { return [] }
        return try write("write a batch of \(batch.count)") { db in
            var outcomes: [StoreOutcome] = []
            outcomes.reserveCapacity(batch.count)
            for change in batch { outcomes.append(try apply(change, db)) }
            reachedCommit = true
            return outcomes
        }
    }

    func apply(_ change: StoreChange, _ db: Database) throws -> StoreOutcome {
        switch change {
        case .createTask(let task): try create(task, db)
        case .updateTask(let task): try update(task, db)
        case .deleteTask(let key, let at): try delete(key, at: at, db)
        case .setNextRun(let key, let next): try setNextRun(key, next, db)
        case .claim(let claim): try write(claim, db)
        case .retry(let execution, let at): try retry(execution, at: at, db)
        case .unclaim(let attempt, let reason, let at):
            try unclaim(attempt, reason: reason, at: at, db)
        case .attemptConfined(let attempt, let layers): try confined(attempt, layers, db)
        case .endAttempt(let end): try write(end, db)
        case .endWaiting(let execution, let at, let end):
            try endWaiting(execution, at: at, end, db)
        case .log(let line): try write(line, db)
        case .occurrence(let task, let plannedAt, let disposition, let reason, let at):
            try decide(
                StoredOccurrence(
                    task: task, plannedAt: plannedAt, disposition, reason: reason, at: at), db)
        case .deferral(let task, let plannedAt, let reason, let trigger, let execution, let at):
            try decide(
                StoredOccurrence(
                    task: task, plannedAt: plannedAt, .deferred, reason: reason, trigger: trigger,
                    execution: execution, at: at), db)
        case .deadLetter(let execution, let at, let reason):
            try deadLetter(execution, at: at, reason: reason, db)
        case .resolveDeadLetter(let id, let at, let retriedAs):
            try resolve(id, at: at, retriedAs: retriedAs, db)
        case .purgeDeadLetters: try purgeAll(db)
        case .purgeDeadLetter(let id): try purge(id: id, db)
        case .noteBoot(let id): try noteBoot(id, db)
        case .audit(let entry): try append(entry, db)
        }
    }

    private func write(_ claim: Claim, _ db: Database) throws -> StoreOutcome {
        let present = try db.cachedStatement(
            sql: "SELECT 1 FROM scheduled_tasks WHERE task_uid = ? AND deleted_at IS NULL")
        guard try Int.fetchOne(present, arguments: [claim.task.uid]) != nil else {
            return .notFound
        }
        if case .set(let next) = claim.nextRun { _ = try setNextRun(claim.task, next, db) }
        let decided = try decide(
            StoredOccurrence(
                task: claim.task, plannedAt: claim.plannedAt, .ran, trigger: claim.trigger,
                execution: claim.executionID, at: claim.at), db)
        guard decided == .done else { return decided }
        let at = StoreTime.text(claim.at)
        try db.cachedStatement(sql: "UPDATE scheduled_tasks SET last_run = ? WHERE task_uid = ?")
            .execute(arguments: [at, claim.task.uid])
        try db.cachedStatement(
            sql: """
                INSERT INTO task_executions
                    (task_id, task_uid, execution_id, started_at, state, trigger_kind, planned_at)
                VALUES (?, ?, ?, ?, 'running', ?, ?)
                """
        ).execute(arguments: [
            claim.task.id.text, claim.task.uid, claim.executionID, at, claim.trigger.rawValue,
            StoreTime.text(claim.plannedAt),
        ])
        return try insertAttempt(claim.executionID, number: 1, at: at, db)
    }

    /// What ran, stays; an instant that did not run may still become anything, as after a clock
    /// was set back.
    private func decide(_ occurrence: StoredOccurrence, _ db: Database) throws -> StoreOutcome {
        try db.cachedStatement(
            sql: """
                INSERT INTO occurrences
                    (task_id, task_uid, planned_at, disposition, reason, trigger_kind,
                     execution_id, decided_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (task_uid, planned_at) DO UPDATE SET
                    disposition = excluded.disposition, reason = excluded.reason,
                    trigger_kind = excluded.trigger_kind, execution_id = excluded.execution_id,
                    decided_at = excluded.decided_at
                WHERE disposition <> 'ran'
                """
        ).execute(arguments: [
            occurrence.taskID, occurrence.taskUID, StoreTime.text(occurrence.plannedAt),
            occurrence.disposition.rawValue, occurrence.reason, occurrence.trigger?.rawValue,
            occurrence.executionID, StoreTime.text(occurrence.decidedAt),
        ])
        return db.changesCount == 1 ? .done : .alreadyClaimed
    }

    private func noteBoot(_ id: String, _ db: Database) throws -> StoreOutcome {
        try db.execute(
            sql:
                "INSERT INTO boot (only, id) VALUES (1, ?) ON CONFLICT DO UPDATE SET id = excluded.id",
            arguments: [id])
        return .done
    }

    private func insertAttempt(
        _ execution: String, number: UInt32, at: String, _ db: Database
    ) throws -> StoreOutcome {
        try db.cachedStatement(
            sql: """
                INSERT INTO task_attempts (execution_id, number, state, started_at)
                VALUES (?, ?, 'running', ?)
                """
        ).execute(arguments: [execution, number, at])
        return .claimed(
            attempt: AttemptKey(UInt64(bitPattern: db.lastInsertedRowID)), number: number)
    }

    private func retry(_ execution: String, at: Instant, _ db: Database) throws -> StoreOutcome {
        try db.cachedStatement(
            sql: """
                UPDATE task_executions
                SET state = 'running', retry_at = NULL, retry_count = retry_count + 1
                WHERE execution_id = ? AND state = 'waiting'
                """
        ).execute(arguments: [execution])
        guard db.changesCount == 1 else { return .notFound }
        let last = try db.cachedStatement(
            sql: "SELECT MAX(number) FROM task_attempts WHERE execution_id = ?")
        let number = UInt32(clamping: try Int64.fetchOne(last, arguments: [execution]) ?? 0)
        // A number that cannot grow is damage; the attempt of its row is there already.
        let next = number == .max ? number : number + 1
        return try insertAttempt(execution, number: next, at: StoreTime.text(at), db)
    }

    private func unclaim(
        _ attempt: AttemptKey, reason: String, at: Instant, _ db: Database
    ) throws -> StoreOutcome {
        let key = Int64(bitPattern: attempt.value)
        let running = try db.cachedStatement(
            sql: """
                SELECT execution_id, number FROM task_attempts WHERE id = ? AND state = 'running'
                """)
        guard let row = try Row.fetchOne(running, arguments: [key]),
            let execution = String.fromDatabaseValue(row[AttemptColumn.executionID])
        else { return .notFound }
        try db.cachedStatement(sql: "DELETE FROM task_attempts WHERE id = ?")
            .execute(arguments: [key])
        guard UInt32.fromDatabaseValue(row[AttemptColumn.number]) == 1 else {
            try db.cachedStatement(
                sql: """
                    UPDATE task_executions
                    SET state = 'waiting', retry_at = ?, retry_count = retry_count - 1
                    WHERE execution_id = ?
                    """
            ).execute(arguments: [StoreTime.text(at), execution])
            return .done
        }
        try db.cachedStatement(
            sql: """
                UPDATE occurrences SET disposition = 'deferred', reason = ?, decided_at = ?
                WHERE (task_uid, planned_at) =
                    (SELECT task_uid, planned_at FROM task_executions WHERE execution_id = ?)
                """
        ).execute(arguments: [reason, StoreTime.text(at), execution])
        try db.cachedStatement(sql: "DELETE FROM task_executions WHERE execution_id = ?")
            .execute(arguments: [execution])
        return .done
    }

    private func confined(_ attempt: AttemptKey, _ layers: LayerReport, _ db: Database) throws
        -> StoreOutcome
    {
        try db.cachedStatement(
            sql: "UPDATE task_attempts SET layers = ? WHERE id = ? AND state = 'running'"
        ).execute(arguments: [layers.json.text(), Int64(bitPattern: attempt.value)])
        return db.changesCount == 1 ? .done : .notFound
    }

    private func write(_ end: AttemptEnd, _ db: Database) throws -> StoreOutcome {
        let key = Int64(bitPattern: end.attempt.value)
        let running = try db.cachedStatement(
            sql: "SELECT execution_id FROM task_attempts WHERE id = ? AND state = 'running'")
        guard let execution = try String.fetchOne(running, arguments: [key]) else {
            return .notFound
        }
        try db.cachedStatement(
            sql: """
                UPDATE task_attempts
                SET state = 'ended', ended_at = ?, outcome = ?, ending = ?, error_message = ?
                WHERE id = ?
                """
        ).execute(arguments: [
            StoreTime.text(end.at), end.outcome.kind.rawValue, end.exit?.json.text(),
            try end.message.map {
                try sealer.sealText(
                    Array($0.utf8), table: "task_attempts", column: "error_message", row: "\(key)")
            }, key,
        ])
        switch end.next {
        case .ended(let ended):
            return try finish(execution, at: end.at, ended, db)
        case .waiting(let retryAt):
            try db.cachedStatement(
                sql: """
                    UPDATE task_executions SET state = 'waiting', retry_at = ?, error_message = ?
                    WHERE execution_id = ?
                    """
            ).execute(arguments: [
                StoreTime.text(retryAt),
                try end.message.map { try sealed($0, "error_message", execution) }, execution,
            ])
            return .done
        }
    }

    private func endWaiting(
        _ execution: String, at: Instant, _ end: ExecutionEnd, _ db: Database
    ) throws -> StoreOutcome {
        let waiting = try db.cachedStatement(
            sql: "SELECT 1 FROM task_executions WHERE execution_id = ? AND state = 'waiting'")
        guard try Int.fetchOne(waiting, arguments: [execution]) != nil else { return .notFound }
        return try finish(execution, at: at, end, db)
    }

    private func finish(
        _ execution: String, at: Instant, _ end: ExecutionEnd, _ db: Database
    ) throws -> StoreOutcome {
        let begin = try db.cachedStatement(
            sql: "SELECT started_at FROM task_executions WHERE execution_id = ?")
        // A time that is no time is damage of this row alone: the end is worth more.
        let startedAt = try String.fetchOne(begin, arguments: [execution])
            .flatMap(StoreTime.instant)
        let seconds = startedAt.map { max(0, Double((at - $0).wholeMicroseconds) / 1_000_000) }
        let result = try end.result.map {
            try sealer.sealText($0, table: "task_executions", column: "result", row: execution)
        }
        try db.cachedStatement(
            sql: """
                UPDATE task_executions
                SET state = 'ended', completed_at = ?, success = ?, duration_seconds = ?,
                    result = ?, error_message = ?, outcome = ?, reason = ?, retry_at = NULL
                WHERE execution_id = ?
                """
        ).execute(arguments: [
            StoreTime.text(at), end.outcome.kind == .succeeded, seconds, result,
            try end.errorMessage.map { try sealed($0, "error_message", execution) },
            end.outcome.kind.rawValue, end.outcome.reason?.rawValue ?? "", execution,
        ])
        return .done
    }

    private func sealed(_ text: String, _ column: String, _ execution: String) throws -> String {
        try sealer.sealText(
            Array(text.utf8), table: "task_executions", column: column, row: execution)
    }
}
