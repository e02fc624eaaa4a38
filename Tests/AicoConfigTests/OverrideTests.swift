// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import AicoWire
import Glibc
import Testing

@Suite struct OverrideTests {
    @Test func overrideChangesWhatItNamesAndNothingElse() throws {
        let changed = try check(
            """
            scheduler:
              max_concurrent_tasks: 3
              class_concurrency:
                user: 2
            """)
        var expected = try Configuration.load(root: "/r")
        expected.scheduler.maximumConcurrency = 3
        expected.scheduler.classConcurrency[.user] = 2
        #expect(changed == expected)
    }

    @Test(arguments: ["", "# nothing\n", "scheduler:\n", "tasks: {maintenance: {}}"])
    func overrideThatSaysNothingChangesNothing(text: String) throws {
        #expect(try check(text) == Configuration.load(root: "/r"))
    }

    @Test func listsAreReplacedAsAWhole() throws {
        let modules = try check(
            "scheduler: {task_modules: [aico.scheduler.tasks.agency]}")
        #expect(modules.builtInTasks.map(\.id.text) == ["agency.background_learning"])
    }

    @Test func durationsAreSecondsWithOrWithoutFraction() throws {
        let changed = try check("scheduler: {scheduler_interval: 0.25, max_retry_delay: 90}")
        #expect(changed.scheduler.retryInterval == .milliseconds(250))
        #expect(changed.scheduler.retry.maximumDelay == .seconds(90))
    }

    @Test func taskTakesZoneTimeoutAndIdleOnlyBesideItsOwnSettings() throws {
        let changed = try check(
            """
            tasks:
              maintenance:
                log_cleanup:
                  schedule: "0 5 * * *"
                  timezone: Europe/Berlin
                  timeout: 120
                  idle_only: true
                  retention_days: 7
                  enabled: false
            """)
        let task = try #require(
            changed.builtInTasks.first { $0.id.text == "maintenance.log_cleanup" })
        #expect(task.schedule.text == "0 5 * * *" && task.timeZone == "Europe/Berlin")
        #expect(task.policies.timeout == .seconds(120) && task.policies.idleOnly)
        #expect(!task.isEnabled)
        #expect(
            task.config
                == ["retention_days": 7, "max_size_mb": 500, "history_retention_days": 90])
    }

    @Test func anInstantInThePastIsWarnedOfAndStopsNothing() throws {
        let text = """
            tasks:
              maintenance:
                log_cleanup: {schedule: "at:2026-01-15T10:00:00Z"}
                database_vacuum: {schedule: "at:2026-01-15T10:00:00Z", enabled: false}
            """
        let configuration = try check(text)
        let instant = try #require(Instant(iso8601: "2026-01-15T10:00:00Z"))
        #expect(configuration.warnings(at: instant - .seconds(1)) == [])
        #expect(
            configuration.warnings(at: instant) == [
                "/r/etc/aico/core.yaml: task maintenance.log_cleanup never runs: "
                    + "\"at:2026-01-15T10:00:00Z\" is in the past; write a later instant, "
                    + "or enabled: false"
            ])
        #expect(try Configuration.load(root: "/r").warnings(at: instant) == [])
    }

    @Test(arguments: [
        ("[]", []), ("[aico-worker-user]", []), ("[acme-worker-user]", ["acme-worker-user"]),
        (
            "[b-agency, aico-worker-security, aico-worker-folders-user]",
            ["b-agency", "aico-worker-folders-user"]
        ),
    ])
    func theFourAreThereWhateverIsListed(list: String, others: [String]) throws {
        let workers = try check("scheduler: {worker_executables: \(list)}").workers
        #expect(workers.prefix(4) == WorkerID.shipped[...])
        #expect(workers.dropFirst(4).map(\.name) == others)
        #expect(workers.map(\.number) == Array(workers.indices))
    }

    @Test func workersThatCannotRunAreWarnedOf() throws {
        let directory = try TemporaryRoot()
        for worker in WorkerID.shipped where worker != .user {
            close(open("\(directory.path)/\(worker.name)", O_WRONLY | O_CREAT, 0o755))
        }
        let configuration = try check("scheduler: {worker_executables: [acme-worker-user]}")
        func warning(_ name: String) -> String {
            "cannot run worker \"\(directory.path)/\(name)\": No such file or directory; "
                + "its tasks do not run: install it"
        }
        #expect(
            configuration.executableWarnings(in: directory.path) == [
                warning("aico-worker-user"),
                warning("acme-worker-user") + ", or take it out of worker_executables",
            ])
        let worker = "\(directory.path)/acme-worker-user"
        close(open(worker, O_WRONLY | O_CREAT, 0o755))
        #expect(
            configuration.executableWarnings(in: directory.path)
                == [warning("aico-worker-user")])
        // What did not come with the supervisor must be root's alone.
        chmod(worker, 0o775)
        #expect(
            configuration.executableWarnings(in: directory.path).last
                == "cannot run worker \"\(worker)\": others than root can change it; its tasks do "
                + "not run: type: chown root:root \(worker); chmod 0755 \(worker), or take it out "
                + "of worker_executables")
    }

    /// As the class's user sees it, not as whoever asks: access(2) says yes to root and for
    /// directories.
    @Test func whatTheClassesUserCannotExecuteIsWarnedOf() throws {
        let directory = try TemporaryRoot()
        let configuration = try check("")
        let worker = "\(directory.path)/aico-worker-user"
        func warning() -> String? {
            configuration.executableWarnings(in: directory.path).first { $0.contains(worker) }
        }
        mkdir(worker, 0o755)
        #expect(warning()?.contains("it is a directory; its tasks do not run") == true)
        rmdir(worker)
        mkfifo(worker, 0o755)
        #expect(warning()?.contains("it is no file; its tasks do not run") == true)
        unlink(worker)
        close(open(worker, O_WRONLY | O_CREAT, 0o644))
        defer { unlink(worker) }
        let user = try #require(configuration.identities?[.user])
        for (mode, isRefused) in [
            (0o644, true), (0o744, true), (0o754, true), (0o755, false), (0o001, false),
        ] as [(mode_t, Bool)] {
            chmod(worker, mode)
            #expect((warning() != nil) == isRefused, "\(String(mode, radix: 8))")
        }
        chmod(worker, 0o754)
        #expect(
            warning()
                == "cannot run worker \"\(worker)\": uid \(user.userID) may not execute it; its "
                + "tasks do not run: type: chmod 0755 \(worker)")
        // Of the group's bits those of the class's group count.
        try #require(geteuid() != 0 || chown(worker, .max, user.groupID) == 0)
        if geteuid() == 0 { #expect(warning() == nil) }
    }

    @Test func intervalsMayHaveAUnit() throws {
        let text = "tasks: {maintenance: {log_cleanup: {schedule: 'interval:6h'}}}"
        let task = try #require(
            try check(text).builtInTasks.first { $0.id.text == "maintenance.log_cleanup" })
        #expect(task.schedule.kind == .interval(seconds: 21_600))
    }

    @Test func busMayListenOnAnAddress() throws {
        let bus = try check("bus: {requests: 'tcp://127.0.0.1:7801'}").bus
        #expect(bus.requests?.text == "tcp://127.0.0.1:7801")
    }

    @Test func fileBelowTheRootOverrides() throws {
        let root = try TemporaryRoot(override: "logging: {level: debug}\n")
        #expect(try Configuration.load(root: root.path).logging.level == .debug)
    }

    @Test func fileThatOthersMayWriteIsRefused() throws {
        let root = try TemporaryRoot(override: "logging: {level: debug}\n", mode: 0o664)
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(root: root.path)
        }
        #expect(
            error?.description
                == "\(root.file): may be written by group or others (mode 0664); chmod go-w it")
    }

    @Test func linkIsRefused() throws {
        let root = try TemporaryRoot()
        try #require(symlink("/etc/passwd", root.file) == 0)
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(root: root.path)
        }
        #expect(error?.description == "\(root.file): is a symbolic link")
    }

    @Test func directoryInPlaceOfTheFileIsRefused() throws {
        let root = try TemporaryRoot()
        try #require(mkdir(root.file, 0o755) == 0)
        defer { rmdir(root.file) }
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(root: root.path)
        }
        #expect(error?.description == "\(root.file): is not a regular file")
    }

    @Test func oversizedFileIsRefused() throws {
        let line = "# " + String(repeating: "x", count: 900) + "\n"
        let root = try TemporaryRoot(override: String(repeating: line, count: 80))
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(root: root.path)
        }
        #expect(error?.description == "\(root.file): larger than the limit of 65536 bytes")
    }
}
