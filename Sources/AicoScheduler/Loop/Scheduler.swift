// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoConfig
package import AicoCore
import AicoKeys
import AicoStore
import AicoWire
import BusServer
import Glibc
package import Logging
package import SchedulerCore
import ZeroMQ

/// The scheduler's rim: feeds the core what happened, and does what it says.
///
/// One thread owns sockets and clock. What is decided stands in `SchedulerCore`; the store is
/// written and read on threads of its own, so that a slow one holds up neither time nor reports.
package final class Scheduler {
    let configuration: Configuration
    let log: Logger
    let clock: WallClock
    let writer: StoreWriter
    let reader: StoreReader
    let bus: BusServer
    /// By the workers' numbers.
    let pipes: [WorkerPipe]
    let supervisor: SupervisorChannel
    let monitor: any ResourceMonitor
    /// What the scheduler's start found, to be given to the core.
    let store: TaskStore
    let keyProblems: [String]
    var core: SchedulerCore
    var registry = Registry()
    var metrics = Metrics()
    /// Who waits for which request's reply, and what it was.
    var requests: [RequestID: PendingRequest] = [:]
    var lastRequest: RequestID = 0
    /// Questions to the store that are on their way.
    var queries: [UInt64: PendingQuery] = [:]
    var lastQuery: UInt64 = 0
    /// What questions could not read of it.
    let unreadableRows = UnreadableRows()
    /// Events that the performing of actions caused, to be handled in the same turn.
    var echoes: [Event] = []
    /// What to exit with, once the system has stopped.
    var status: Int32?
    var logWatch = LogWatch()
    /// When the monotonic clock and the boot clock were last compared: they part in a suspend.
    var suspendedSoFar: Duration
    var lastLoad: MachineLoad = .notYet

    /// Opens keys and store, binds the sockets; nothing runs yet.
    ///
    /// - Parameters:
    ///   - configuration: checked settings.
    ///   - workers: those that the supervisor launches; nil for those of the settings.
    ///   - channel: the descriptor of the supervisor's channel, which is the scheduler's from now on.
    ///   - monitor: tells how busy the machine is.
    ///   - log: where messages go.
    ///   - adjust: changes what the core is told, beyond what the configuration can.
    package init(
        configuration: Configuration, workers: [WorkerID]? = nil, channel: Int32,
        monitor: any ResourceMonitor, log: Logger,
        adjust: (inout CoreSettings) -> Void = { _ in }
    ) throws {
        self.configuration = configuration
        let workers = workers ?? configuration.workers
        self.log = log
        self.monitor = monitor
        let layout = configuration.layout
        supervisor = try SupervisorChannel(owning: channel)
        clock = try WallClock()
        let ring = try KeyRing.prepare(layout: layout)
        let keys = try BusKeys.prepare(layout: layout)
        keyProblems = keys.problems.map(\.description)
        for problem in keyProblems {
            log.error("a client's key is not admitted", metadata: ["why": "\(problem)"])
        }
        store = try TaskStore(path: layout.database, keys: ring)
        // Before the first socket: libzmq aborts where `accept` meets the limit.
        FileLimit.raise()
        let context = try ZMQContext()
        let settings = configuration.bus
        bus = try BusServer(
            keys: keys,
            endpoints: BusServer.Endpoints(settings, layout: layout),
            limits: settings.limits, context: context)
        pipes = try workers.map {
            try WorkerPipe($0, layout: layout, context: context)
        }
        var coreSettings = configuration.coreSettings
        coreSettings.workers = workers
        adjust(&coreSettings)
        core = SchedulerCore(settings: coreSettings, at: WallClock.time)
        suspendedSoFar = WallClock.suspended
        writer = try StoreWriter(store: store)
        reader = try StoreReader(path: layout.database, keys: ring)
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

extension BusServer.Endpoints {
    /// Where the settings have the bus listen.
    init(_ settings: BusSettings, layout: InstanceLayout) {
        let users =
            settings.socketUsers != .auto
            ? settings.socketUsers : layout.root.isEmpty ? .group : .everybody
        func place(_ path: String) -> BusServer.Place {
            switch users {
            case .auto, .everybody: BusServer.Place("ipc://\(path)")
            case .group: BusServer.Place("ipc://\(path)", mode: 0o660, group: getegid())
            case .root: BusServer.Place("ipc://\(path)", mode: 0o600)
            }
        }
        func further(_ endpoint: BusEndpoint?) -> [BusServer.Place] {
            endpoint.map { [BusServer.Place($0.text)] } ?? []
        }
        self.init(
            // The directory's group is that of class maintenance, and so is this socket's.
            requests: [
                place(layout.busSocket),
                BusServer.Place("ipc://\(layout.healthSocket)", mode: 0o660),
            ] + further(settings.requests),
            events: [place(layout.eventsSocket)] + further(settings.events))
    }
}

extension BusSettings {
    /// What of the settings bounds the bus.
    fileprivate var limits: BusServer.Limits {
        var limits = BusServer.Limits()
        limits.frameBytes = maximumMessageBytes
        limits.events = highWaterMark
        limits.connections = bounds.connections
        limits.clientConnections = bounds.connectionsPerClient
        limits.outstanding = bounds.outstanding
        limits.replies = bounds.outstanding * 2
        limits.outstandingBytes = bounds.outstandingBytes
        limits.replyBytes = bounds.replyBytes
        limits.totalReplyBytes = bounds.totalReplyBytes
        limits.totalRequestBytes = bounds.totalRequestBytes
        limits.refusals = bounds.refusals
        limits.totalRefusals = bounds.refusals * 8
        limits.eventBytes = bounds.eventBytes
        return limits
    }
}

extension Configuration {
    /// What of the settings the core is told.
    var coreSettings: CoreSettings {
        var settings = CoreSettings()
        settings.isEnabled = scheduler.isEnabled
        settings.maximumConcurrency = scheduler.maximumConcurrency
        settings.classConcurrency = scheduler.classConcurrency
        settings.thresholds = scheduler.thresholds
        settings.maximumCatchUp = scheduler.maximumCatchUp
        settings.resourceCheckInterval = scheduler.resourceCheckInterval
        settings.storeRetryInterval = scheduler.retryInterval
        settings.health = HealthRules.Limits(
            degradedFailurePercent: health.degradedFailurePercent,
            criticalFailurePercent: health.criticalFailurePercent,
            leastExecutions: health.leastExecutions, workerMissing: health.workerMissing,
            maximumLateness: health.maximumLateness)
        var random = SystemRandomNumberGenerator()
        settings.seed = (random.next(), random.next())
        return settings
    }
}
