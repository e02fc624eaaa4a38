// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import GRDB

/// The schema's history. Append only: a released migration never changes.
enum Migrations {
    static var all: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 tasks and executions") { db in
            try db.execute(sql: tasksAndExecutions)
        }
        migrator.registerMigration("2 policies, attempts, logs, occurrences, audit") { db in
            try db.execute(sql: attemptsAndLogs)
        }
        migrator.registerMigration("3 identities of tasks") { db in
            try db.execute(sql: identities)
        }
        migrator.registerMigration("4 key check and audit anchor") { db in
            try db.execute(sql: keyCheckAndAnchor)
        }
        migrator.registerMigration("5 the boot whose tasks were started") { db in
            try db.execute(
                sql:
                    "CREATE TABLE boot (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL)"
            )
        }
        return migrator
    }

    /// The requirements' schema, to the letter.
    private static let tasksAndExecutions = """
        CREATE TABLE scheduled_tasks (
            task_id TEXT PRIMARY KEY,
            task_class TEXT NOT NULL,
            schedule TEXT NOT NULL,
            config TEXT,  -- JSON configuration
            enabled BOOLEAN DEFAULT 1,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            last_run TEXT,
            next_run TEXT
        );
        CREATE TABLE task_executions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            task_id TEXT NOT NULL,
            execution_id TEXT NOT NULL,
            started_at TEXT NOT NULL,
            completed_at TEXT,
            success BOOLEAN,
            duration_seconds REAL,
            result TEXT,  -- JSON result data
            error_message TEXT,
            retry_count INTEGER DEFAULT 0,
            FOREIGN KEY (task_id) REFERENCES scheduled_tasks(task_id)
        );
        CREATE INDEX idx_scheduled_tasks_next_run ON scheduled_tasks(next_run, enabled);
        CREATE INDEX idx_task_executions_task_id ON task_executions(task_id, started_at);
        CREATE INDEX idx_task_executions_started_at ON task_executions(started_at);
        """

    /// `deleted_at` keeps the row that history refers to; the id is free when it is set.
    /// AUTOINCREMENT: a key that was on the wire is never given out again.
    private static let attemptsAndLogs = """
        ALTER TABLE scheduled_tasks ADD COLUMN timezone TEXT NOT NULL DEFAULT 'UTC';
        ALTER TABLE scheduled_tasks ADD COLUMN policies TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE scheduled_tasks ADD COLUMN origin TEXT NOT NULL DEFAULT 'builtin';
        ALTER TABLE scheduled_tasks ADD COLUMN deleted_at TEXT;
        ALTER TABLE task_executions ADD COLUMN state TEXT NOT NULL DEFAULT 'ended';
        ALTER TABLE task_executions ADD COLUMN trigger_kind TEXT NOT NULL DEFAULT 'schedule';
        ALTER TABLE task_executions ADD COLUMN planned_at TEXT NOT NULL DEFAULT '';
        ALTER TABLE task_executions ADD COLUMN outcome TEXT;
        ALTER TABLE task_executions ADD COLUMN reason TEXT;
        ALTER TABLE task_executions ADD COLUMN retry_at TEXT;
        CREATE UNIQUE INDEX idx_task_executions_execution_id ON task_executions(execution_id);
        CREATE INDEX idx_task_executions_open ON task_executions(state)
            WHERE state <> 'ended';
        CREATE TABLE task_attempts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            execution_id TEXT NOT NULL
                REFERENCES task_executions(execution_id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('running', 'ended')),
            started_at TEXT NOT NULL,
            ended_at TEXT,
            outcome TEXT,
            ending TEXT,
            layers TEXT,
            UNIQUE (execution_id, number)
        );
        CREATE INDEX idx_task_attempts_running ON task_attempts(id) WHERE state = 'running';
        CREATE TABLE execution_logs (
            id INTEGER PRIMARY KEY,
            execution_id TEXT NOT NULL
                REFERENCES task_executions(execution_id) ON DELETE CASCADE,
            attempt INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            stream INTEGER NOT NULL,
            at TEXT NOT NULL,
            line BLOB NOT NULL,
            UNIQUE (execution_id, attempt, seq)
        );
        CREATE INDEX idx_execution_logs_at ON execution_logs(at);
        CREATE TABLE dead_letters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            execution_id TEXT NOT NULL UNIQUE
                REFERENCES task_executions(execution_id) ON DELETE CASCADE,
            task_id TEXT NOT NULL,
            at TEXT NOT NULL,
            reason TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            resolved_at TEXT,
            retried_as TEXT
        );
        CREATE TABLE occurrences (
            task_id TEXT NOT NULL,
            planned_at TEXT NOT NULL,
            disposition TEXT NOT NULL CHECK (disposition IN
                ('ran', 'skipped', 'deferred', 'missed', 'coalesced')),
            reason TEXT NOT NULL DEFAULT '',
            execution_id TEXT,
            decided_at TEXT NOT NULL,
            PRIMARY KEY (task_id, planned_at)
        ) WITHOUT ROWID;
        CREATE TABLE audit_log (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            detail TEXT NOT NULL,
            previous BLOB NOT NULL,
            link BLOB NOT NULL
        );
        """

    /// What belonged to a name belongs to an identity: of what there was, to one made of the name.
    private static let identities = """
        ALTER TABLE scheduled_tasks ADD COLUMN task_uid TEXT NOT NULL DEFAULT '';
        UPDATE scheduled_tasks SET task_uid = task_id;
        CREATE INDEX idx_scheduled_tasks_uid ON scheduled_tasks(task_uid);
        ALTER TABLE task_executions ADD COLUMN task_uid TEXT NOT NULL DEFAULT '';
        UPDATE task_executions SET task_uid = task_id;
        CREATE INDEX idx_task_executions_uid ON task_executions(task_uid, started_at);
        ALTER TABLE task_attempts ADD COLUMN error_message TEXT;
        ALTER TABLE dead_letters ADD COLUMN task_uid TEXT NOT NULL DEFAULT '';
        UPDATE dead_letters SET task_uid = task_id;
        CREATE TABLE planned_instants (
            task_uid TEXT NOT NULL,
            task_id TEXT NOT NULL,
            planned_at TEXT NOT NULL,
            disposition TEXT NOT NULL CHECK (disposition IN
                ('ran', 'skipped', 'deferred', 'missed', 'coalesced')),
            reason TEXT NOT NULL DEFAULT '',
            trigger_kind TEXT,
            execution_id TEXT,
            decided_at TEXT NOT NULL,
            PRIMARY KEY (task_uid, planned_at)
        ) WITHOUT ROWID;
        INSERT INTO planned_instants
            SELECT task_id, task_id, planned_at, disposition, reason,
                CASE WHEN reason = 'manual' THEN 'manual' END, execution_id, decided_at
            FROM occurrences;
        DROP TABLE occurrences;
        ALTER TABLE planned_instants RENAME TO occurrences;
        CREATE INDEX idx_occurrences_deferred ON occurrences(planned_at)
            WHERE disposition = 'deferred';
        """

    /// `audit_anchor` holds the link that the log's first entry continues once older ones went;
    /// `settlings` exists to be written to, see `TaskStore.settle`.
    private static let keyCheckAndAnchor = """
        CREATE TABLE key_check (
            label TEXT PRIMARY KEY,
            value BLOB NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE audit_anchor (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            last_id INTEGER NOT NULL,
            removed INTEGER NOT NULL,
            link BLOB NOT NULL,
            seal BLOB NOT NULL
        );
        CREATE TABLE settlings (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            count INTEGER NOT NULL
        );
        INSERT INTO settlings VALUES (1, 0);
        """
}
