// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoConfig
import AicoCore
import AicoKeys
import AicoStore
import AicoWire
public import Logging
import ZeroMQ

/// The scheduler: one thread that owns the store, the sockets and the clock.
///
/// Each turn of the loop takes what came in, decides, writes all changes in one transaction, and
/// only then lets orders, events and replies leave.
public final class Scheduler {
    /// What a timer is for.
    enum TimerName: Hashable {
        /// A task's next instant.
        case task(TaskID)
        /// An execution's next attempt.
        case retry(String)
        /// An attempt's worker did not end it in time.
        case backstop(UInt64)
        /// The machine is to be looked at again.
        case resources
        /// A worker did not answer its ping.
        case greet(TaskClass)
        /// A class's canary did not end in its time.
        case canary(TaskClass)
        /// The store is to be tried again.
        case journal
        /// Running attempts had their time to end.
        case stop
    }

    /// Which part of its life the scheduler is in.
    enum Phase: Equatable {
        case running
        /// Told to finish; waits for running attempts.
        case stopping
        /// Over, with this exit status.
        case ended(Int32)
    }

    let configuration: Configuration
    let log: Logger
    let clock: WallClock
    let store: TaskStore
    let journal: Journal
    let bus: BusServer
    /// By `TaskClass.rawValue`.
    let pipes: [ClassPipe]
    let supervisor: SupervisorChannel
    let monitor: any ResourceMonitor
    let startedAt: Instant
    var registry = Registry()
    var tasks: [TaskID: TaskEntry] = [:]
    /// Executions that have not ended, by id.
    var runs: [String: Run] = [:]
    /// Attempts that run, by key.
    var attempts: [UInt64: Attempt] = [:]
    var queue = WaitingQueue()
    var timers = TimerHeap<TimerName>()
    var metrics: Metrics
    var health = HealthState()
    var phase = Phase.running
    /// Whether something changed that may let what waits start.
    var needsAdmission = false
    /// Executions that hold one of all places.
    var running = 0
    /// Canaries that were ordered so far.
    var canaries: UInt64 = 0
    /// This turn's time.
    var now: Instant
    /// The wall clock less the uptime, to see jumps.
    var clockOffset: Duration

    /// Opens keys and store, binds the sockets; nothing runs yet.
    ///
    /// - Parameters:
    ///   - configuration: checked settings.
    ///   - channel: the descriptor of the supervisor's channel.
    ///   - monitor: tells how busy the machine is.
    ///   - log: where messages go.
    public init(
        configuration: Configuration, channel: Int32, monitor: any ResourceMonitor, log: Logger
    ) throws {
        self.configuration = configuration
        self.log = log
        self.monitor = monitor
        let layout = configuration.layout
        supervisor = SupervisorChannel(descriptor: channel)
        supervisor.keepFromChildren()
        clock = try WallClock()
        let now = clock.now
        self.now = now
        startedAt = now
        clockOffset = WallClock.offset
        let ring = try KeyRing.open(directory: layout.keys)
        let keys = try BusKeys.prepare(layout: layout)
        store = try TaskStore(path: layout.database, keys: ring)
        journal = Journal(store: store) { error in
            log.error("store refused a batch", metadata: ["error": "\(error)"])
        }
        let context = try ZMQContext()
        bus = try BusServer(
            keys: keys, layout: layout, settings: configuration.bus, context: context)
        metrics = Metrics(remembered: configuration.scheduler.cacheSize)
        pipes = try TaskClass.allCases.map {
            try ClassPipe($0, layout: layout, context: context, now: now)
        }
    }

    func pipe(_ taskClass: TaskClass) -> ClassPipe { pipes[Int(taskClass.rawValue)] }

    /// Publishes an event once all that the turn wrote so far is on the disk.
    func publish(_ topic: BusEventTopic, _ data: JSONValue) {
        journal.whenWritten { [self] in
            attempt("publish") { () throws(ZeroMQError) in try bus.publish(topic, data) }
        }
    }

    /// Adds a line to the audit log.
    func audit(_ actor: String, _ action: String, _ subject: String, _ detail: String = "") {
        journal.add(
            .audit(
                AuditEntry(at: now, actor: actor, action: action, subject: subject, detail: detail))
        )
    }

    /// Runs a socket call whose failure must not stop the loop.
    func attempt(_ what: String, _ body: () throws(ZeroMQError) -> Void) {
        do throws(ZeroMQError) {
            try body()
        } catch {
            log.error("socket call failed", metadata: ["call": "\(what)", "error": "\(error)"])
        }
    }
}
