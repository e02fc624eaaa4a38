// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The embedded defaults.
enum DefaultConfiguration {
    /// The name used in messages.
    static let file = "<defaults>"

    /// config/defaults/core.yaml, byte for byte; a test compares them.
    static let text = """
        # SPDX-License-Identifier: Apache-2.0
        # Part of the AICO Task Supervisor
        #
        # The defaults, embedded into the executables. /etc/aico/core.yaml overrides them key by key;
        # docs/operations.md says what each key means. Durations are in seconds.
        scheduler:
          enabled: true
          max_concurrent_tasks: 10
          max_cpu_percent: 80
          max_memory_percent: 80

          # Task discovery
          auto_discover: true
          task_modules:  # whose tasks below are created at the first start
            - "aico.scheduler.tasks.maintenance"
            - "aico.scheduler.tasks.agency"
            - "aico.scheduler.tasks.security"
          worker_executables:  # asked for their task types at start
            - "aico-worker-maintenance"
            - "aico-worker-security"
            - "aico-worker-agency"
            - "aico-worker-user"

          # Performance tuning
          scheduler_interval: 1.0  # until a store that refused a batch is tried again
          batch_size: 100  # reports of one class that one transaction takes
          cache_size: 10000  # starts and ends that statistics remember

          # Failure handling
          default_retry_count: 3
          default_retry_delay: 60
          max_retry_delay: 3600
          retry_factor: 2.0
          retry_jitter: 0

          # Resource management
          resource_check_interval: 30
          idle_threshold_cpu: 20  # percent
          idle_threshold_memory: 70  # percent
          max_defer: 600  # how long resources may put a start off
          class_concurrency:  # a profile's own limit counts as well
            maintenance: 4
            security: 2
            agency: 2
            user: 8

          # Running
          default_grace: 5  # from TERM to the kill of the cgroup
          timezone: "UTC"  # of tasks that name none
          catchup_window: 86400  # how far back missed starts count
          max_catchup: 100  # at most this many missed starts of one task run with misfire run_all

        # Task-specific configuration
        tasks:
          maintenance:
            log_cleanup:
              enabled: true
              schedule: "0 3 * * *"  # Daily at 3 AM
              retention_days: 30
              max_size_mb: 500
              history_retention_days: 90  # ended executions

            key_rotation:  # security.key_rotation
              enabled: true
              schedule: "0 1 1 * *"  # Monthly
              rotate_session_keys: true
              rotate_database_keys: false

            health_check:
              enabled: true
              schedule: "*/5 * * * *"  # Every 5 minutes
              check_database: true
              check_message_bus: true
              check_disk_space: true

            database_vacuum:
              enabled: true
              schedule: "30 4 * * 0"  # Weekly, on Sunday

          security:
            integrity_check:
              enabled: true
              schedule: "15 2 * * *"  # Daily

          agency:
            background_learning:
              enabled: true
              schedule: "*/30 * * * *"  # Every 30 minutes
              max_duration: 600  # 10 minutes
              idle_only: true

        # The scheduler's own log file, scheduler.log
        logging:
          level: "info"  # debug, info, notice, warning, error
          max_file_mb: 16
          keep_files: 5

        # Clients on this machine use bus.sock and events.sock; tcp://ADDRESS:PORT is bound as well
        bus:
          requests: "ipc"
          events: "ipc"
          max_message_kb: 1024
          high_water_mark: 10000  # events that wait for one client at most

        health:
          degraded_failure_percent: 10
          critical_failure_percent: 50
          least_executions: 10  # below this many ended ones a failure rate says nothing
          worker_missing: 30  # a worker that takes no orders for this long is critical
          max_lateness: 1.0  # a start later than this degrades

        # uid and gid of each process under --root; an installed system looks its users up by name
        identities:
          scheduler: 61000
          maintenance: 61001
          security: 61002
          agency: 61003
          user: 61004

        """
}
