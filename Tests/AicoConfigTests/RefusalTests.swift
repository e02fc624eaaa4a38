// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import Testing

/// Every refusal with its exact words.
@Suite struct RefusalTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var message: String

        var testDescription: String { name }

        init(_ name: String, _ text: String, _ message: String) {
            self.name = name
            self.text = text
            self.message = message
        }
    }

    static let faults = [
        Fault(
            "unknown key in a section", "scheduler:\n  max_concurent_tasks: 3\n",
            "core.yaml:2: unknown key 'max_concurent_tasks' in 'scheduler'; "
                + "did you mean 'max_concurrent_tasks'?"),
        Fault(
            "unknown section", "shceduler: {}\n",
            "core.yaml:1: unknown key 'shceduler'; did you mean 'scheduler'?"),
        Fault(
            "unknown key far from any", "bus:\n  colour: blue\n",
            "core.yaml:2: unknown key 'colour' in 'bus'"),
        Fault(
            "unknown task", "tasks:\n  maintenance:\n    log_clean: {enabled: true}\n",
            "core.yaml:3: unknown key 'log_clean' in 'tasks.maintenance'; "
                + "did you mean 'log_cleanup'?"),
        Fault(
            "unknown setting of a task",
            "tasks:\n  maintenance:\n    log_cleanup:\n      retention_day: 3\n",
            "core.yaml:4: unknown key 'retention_day' in 'tasks.maintenance.log_cleanup'; "
                + "did you mean 'retention_days'?"),
        Fault(
            "optional setting of a task, misspelled",
            "tasks:\n  maintenance:\n    log_cleanup:\n      time_zone: UTC\n",
            "core.yaml:4: unknown key 'time_zone' in 'tasks.maintenance.log_cleanup'; "
                + "did you mean 'timezone'?"),
        Fault(
            "wrong type: text for a number", "scheduler:\n  batch_size: many\n",
            "core.yaml:2: 'batch_size' must be a whole number, not 'many'"),
        Fault(
            "wrong type: quoted number", "scheduler:\n  batch_size: \"100\"\n",
            "core.yaml:2: 'batch_size' must be a whole number, not '100'"),
        Fault(
            "wrong type: fraction", "scheduler:\n  batch_size: 1.5\n",
            "core.yaml:2: 'batch_size' must be a whole number, not '1.5'"),
        Fault(
            "wrong type: yes for true", "scheduler:\n  enabled: yes\n",
            "core.yaml:2: 'enabled' must be true or false, not 'yes'"),
        Fault(
            "wrong type: list for a section", "scheduler: [1]\n",
            "core.yaml:1: 'scheduler' must be a mapping, not a list"),
        Fault(
            "wrong type: mapping for a number", "scheduler:\n  batch_size: {a: 1}\n",
            "core.yaml:2: 'batch_size' must be a whole number, not a mapping"),
        Fault(
            "wrong type: list for text", "logging:\n  level: [info]\n",
            "core.yaml:2: 'level' must be text, not a list"),
        Fault(
            "value missing", "scheduler:\n  batch_size:\n",
            "core.yaml:2: 'batch_size' must be a whole number, not nothing"),
        Fault(
            "file is a list", "- scheduler\n",
            "core.yaml:1: the file must be a mapping of keys, not a list"),
        Fault(
            "below the range", "scheduler:\n  max_concurrent_tasks: 0\n",
            "core.yaml:2: 'max_concurrent_tasks' must be between 1 and 256, not 0"),
        Fault(
            "above the range", "scheduler:\n  max_cpu_percent: 101\n",
            "core.yaml:2: 'max_cpu_percent' must be between 1 and 100, not 101"),
        Fault(
            "negative duration", "scheduler:\n  default_retry_delay: -1\n",
            "core.yaml:2: 'default_retry_delay' must be between 0 and 604800, not -1"),
        Fault(
            "not a number", "scheduler:\n  max_cpu_percent: .nan\n",
            "core.yaml:2: 'max_cpu_percent' must be a number, not '.nan'"),
        Fault(
            "setting of a task out of range",
            "tasks:\n  maintenance:\n    log_cleanup:\n      retention_days: 0\n",
            "core.yaml:4: 'retention_days' must be between 1 and 36500, not 0"),
        Fault(
            "setting of a task of another type",
            "tasks:\n  maintenance:\n    health_check:\n      check_database: 1\n",
            "core.yaml:4: 'check_database' must be true or false, not '1'"),
        Fault(
            "unknown level", "logging:\n  level: inof\n",
            "core.yaml:2: 'level' must be one of debug, info, notice, warning, error, "
                + "not 'inof'; did you mean 'info'?"),
        Fault(
            "unknown module", "scheduler:\n  task_modules:\n    - aico.scheduler.tasks.agencies\n",
            "core.yaml:3: unknown task module 'aico.scheduler.tasks.agencies'; "
                + "did you mean 'aico.scheduler.tasks.agency'?"),
        Fault(
            "path as an executable", "scheduler:\n  worker_executables: [../evil]\n",
            "core.yaml:2: '../evil' must be a file name of a-z, 0-9 and '-', not a path"),
        Fault(
            "executable twice", "scheduler:\n  worker_executables: [a-user, a-user]\n",
            "core.yaml:2: 'a-user' is listed twice"),
        Fault(
            "executable of no class", "scheduler:\n  worker_executables: [acme-worker]\n",
            "core.yaml:2: 'acme-worker' must end in the class that it serves: -maintenance, "
                + "-security, -agency, -user"),
        Fault(
            "zone that is a path", "scheduler:\n  timezone: ../../etc/passwd\n",
            "core.yaml:2: 'timezone' must be a zone's name as Europe/Berlin, "
                + "not '../../etc/passwd'"),
        Fault(
            "a bound with a fraction", "scheduler:\n  scheduler_interval: 61\n",
            "core.yaml:2: 'scheduler_interval' must be between 0.01 and 60, not 61"),
        Fault(
            "a bound of the bus, misspelled", "bus:\n  max_conections: 3\n",
            "core.yaml:2: unknown key 'max_conections' in 'bus'; did you mean 'max_connections'?"),
        Fault(
            "a bound of the bus below its range", "bus:\n  max_connections_per_client: 1\n",
            "core.yaml:2: 'max_connections_per_client' must be between 2 and 1024, not 1"),
        Fault(
            "a bound of the bus below what one reply has", "bus:\n  max_reply_kb: 4096\n",
            "core.yaml:2: 'max_reply_kb' must be between 8192 and 1048576, not 4096"),
        Fault(
            "more connections for one client than for all",
            "bus:\n  max_connections: 8\n  max_connections_per_client: 9\n",
            "core.yaml:3: 'max_connections_per_client' must not be more than 'max_connections'; "
                + "lower it, or raise 'max_connections'"),
        Fault(
            "more replies for one connection than for all", "bus:\n  max_reply_kb: 65537\n",
            "core.yaml:2: 'max_reply_kb' must not be more than 'max_total_reply_kb'; "
                + "lower it, or raise 'max_total_reply_kb'"),
        Fault(
            "a message longer than all may send",
            "bus:\n  max_message_kb: 4096\n  max_total_request_kb: 2048\n",
            "core.yaml:2: 'max_message_kb' must not be more than 'max_total_request_kb'; "
                + "lower it, or raise 'max_total_request_kb'"),
        Fault(
            "zone that does not exist", "scheduler:\n  timezone: Europe/Berln\n",
            "core.yaml:2: cannot use time zone \"Europe/Berln\": there is no such zone in "
                + "/usr/share/zoneinfo; write Europe/Berlin"),
        Fault(
            "zone of a task that does not exist",
            "tasks:\n  maintenance:\n    log_cleanup:\n      timezone: berlin\n",
            "core.yaml:4: cannot use time zone \"berlin\": there is no such zone in "
                + "/usr/share/zoneinfo; write Europe/Berlin"),
        Fault(
            "schedule that never fires",
            "tasks:\n  maintenance:\n    log_cleanup:\n      schedule: 0 0 30 2 *\n",
            "core.yaml:4: 'schedule' never fires: no year has such a day, as '0 0 30 2 *' asks "
                + "for; write a day that comes, as in 0 2 * * *"),
        Fault(
            "zone in a schedule",
            "tasks:\n  maintenance:\n    log_cleanup:\n      schedule: TZ=UTC 0 2 * * *\n",
            "core.yaml:4: cannot read schedule \"TZ=UTC\": a schedule carries no variables; "
                + "write \"0 2 * * *\", and the zone apart: timezone: UTC"),
        Fault(
            "limits in the wrong order", "scheduler:\n  max_retry_delay: 30\n",
            "core.yaml:2: 'max_retry_delay' must not be less than 'default_retry_delay'"),
        Fault(
            "thresholds in the wrong order", "health:\n  critical_failure_percent: 5\n",
            "core.yaml:2: 'critical_failure_percent' must not be less than "
                + "'degraded_failure_percent'"),
        Fault(
            "root as a user", "identities:\n  user: 0\n",
            "core.yaml:2: 'user' must be between 1 and 4294967294, not 0"),
        Fault(
            "one number for two users", "identities:\n  user: 61000\n",
            "core.yaml:2: 'user' has the number of 'scheduler'"),
        Fault(
            "host name as an address", "bus:\n  requests: tcp://localhost:1\n",
            "core.yaml:2: 'requests' must be ipc or tcp://ADDRESS:PORT, "
                + "not 'tcp://localhost:1'"),
        Fault(
            "address without a port", "bus:\n  requests: tcp://127.0.0.1\n",
            "core.yaml:2: 'requests' must be ipc or tcp://ADDRESS:PORT, not 'tcp://127.0.0.1'"),
        Fault(
            "one address for both sockets",
            "bus:\n  requests: tcp://127.0.0.1:1\n  events: tcp://127.0.0.1:1\n",
            "core.yaml:3: 'events' must not be the same as 'requests'"),
        Fault(
            "duplicate key", "logging:\n  level: info\n  level: debug\n",
            "core.yaml:3: duplicate key 'level'"),
        Fault(
            "anchor", "logging: &a\n  level: info\n",
            "core.yaml:1: anchors and aliases are not read"),
        Fault(
            "tag", "logging:\n  level: !env HOME\n", "core.yaml:2: tags are not read"),
        Fault(
            "merge key", "logging:\n  <<: {level: info}\n", "core.yaml:2: key is not text"),
        Fault(
            "control character", "logging:\n  level: in\u{7}fo\n",
            "core.yaml:2: control character"),
    ]

    @Test(arguments: faults) func isRefusedWithLineReasonAndNearestKey(fault: Fault) {
        #expect(refusal(of: fault.text) == fault.message)
    }

    @Test func badScheduleIsRefusedWithItsFieldAndHint() throws {
        let message = try #require(
            refusal(
                of: "tasks:\n  agency:\n    background_learning:\n      schedule: '61 * * * *'\n")
        )
        #expect(message.hasPrefix("core.yaml:4: "))
        #expect(message.contains("minute") && message.contains("61"))
    }

    @Test func invalidUTF8IsRefused() {
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.check([0x61, 0x3A, 0xFF], file: "core.yaml", root: "/r")
        }
        #expect(error?.description == "core.yaml: not valid UTF-8")
    }

    @Test func twoDocumentsAreRefused() {
        #expect(refusal(of: "logging: {}\n---\nbus: {}\n") != nil)
    }
}
