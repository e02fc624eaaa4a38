// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore
import TimeZones

/// One episode before it runs: all that is done to the system, and when.
struct Scenario: Sendable {
    /// A stretch without faults, at whose end all that may run must have run.
    struct Quiet: Sendable {
        var begin: Span
        /// From here on nothing of the faults before may be felt.
        var warm: Span
        var end: Span
    }

    var seed: UInt64
    /// The system's workers: some classes have two.
    var workers: [WorkerID]
    var length: Span
    var startedAt: Instant
    var specs: [TaskSpec] = []
    var builtIns: [Int] = []
    var inputs: [TimedInput] = []
    var quiets: [Quiet] = []
    var isLoadUnknowable = false
    /// The zone whose clock changes in its first days; nil where none was looked for.
    var changing: ZoneRules?

    static let names: [TaskID] = [
        "user.a", "user.b", "custom.c", "agency.a", "agency.b", "security.a", "maintenance.a",
    ].compactMap { try? TaskID($0) }

    /// Draws an episode.
    init(seed: UInt64, length: Span, zones: [ZoneRules]) {
        self.seed = seed
        self.length = length
        workers = Self.workers(seed)
        var random = Randomness(seed, 1)
        startedAt = Self.start(&random)
        isLoadUnknowable = random.percent(5)
        let own = (0..<4).map { _ in random.pick(zones) }
        if random.percent(50) { beginBeforeChange(of: own, &random) }
        for name in ["maintenance.health", "security.sweep"].compactMap({ try? TaskID($0) }) {
            var spec = draw(&random, name: name, at: .zero, zones: own)
            spec.isEnabled = true
            spec.origin = "builtin"
            spec.policies.onCrash = .rerun
            builtIns.append(spec.number)
            specs.append(spec)
        }
        var time = Span.zero
        for _ in 0..<4 {
            let name = random.pick(Self.names)
            add(.calls([create(&random, name, at: time, zones: own)]), at: .seconds(3))
        }
        while time < length {
            let rest = length - time
            let faulty = min(random.time(.hours(3), .hours(14)), max(.zero, rest - .minutes(100)))
            addFaults(&random, from: time, to: time + faulty, zones: own)
            let begin = time + faulty
            let end = min(length, begin + .minutes(100))
            if end - begin >= .minutes(95) {
                quiets.append(Quiet(begin: begin, warm: begin + .minutes(50), end: end))
            }
            time = end
        }
        inputs.sort { $0.at != $1.at ? $0.at < $1.at : $0.index < $1.index }
    }

    /// Moves the begin to where the clock of a zone is to change: within eight hours mostly,
    /// since a clock that is set may pass what comes later, else within three days.
    private mutating func beginBeforeChange(of zones: [ZoneRules], _ random: inout Randomness) {
        let hour = Duration.seconds(3600)
        for zone in zones {
            for hours in 24..<366 * 24 {
                let at = startedAt + hour * hours
                guard zone.offset(at: at) != zone.offset(at: at + hour) else { continue }
                let most: Span = random.percent(70) ? .hours(8) : .hours(64)
                startedAt = at - random.time(.minutes(10), most).duration
                changing = zone
                return
            }
        }
    }

    private static func workers(_ seed: UInt64) -> [WorkerID] {
        var random = Randomness(seed, 5)
        let names = ["acme-worker-user", "acme-worker-agency", "other-worker-security"]
        return (try? WorkerID.list(beside: names.filter { _ in random.percent(40) }))
            ?? WorkerID.shipped
    }

    /// The type of a task's name: that of a second worker, where its class has one and the name says
    /// so.
    func type(of name: TaskID) -> String {
        let isOther =
            !name.text.hasSuffix(".a")
            && workers.contains { !$0.isShipped && $0.taskClass == name.taskClass }
        return "\(name.taskClass.name).\(isOther ? "other" : "work")"
    }

    /// A day of the years 2001 to 2037, more often one on which clocks are about to change.
    private static func start(_ random: inout Randomness) -> Instant {
        let year = Int64(random.below(37))
        let begin = Instant(seconds: 978_307_200 + year * 31_556_952)
        let days: Int64
        if random.percent(60) {
            days = random.pick([80, 82, 84, 86, 88, 92, 94, 265, 268, 295, 298, 300, 302, 305, 307])
        } else {
            days = Int64(random.below(365))
        }
        return begin + .seconds(days * 86400 + Int64(random.below(86400)))
    }

    mutating func add(_ input: Input, at time: Span) {
        inputs.append(TimedInput(at: time, index: inputs.count, input: input))
    }

    /// Has the timetables skip what falls into a gap, and run the second of what comes twice.
    mutating func plantWrongDST() {
        for index in specs.indices {
            let dst = specs[index].policies.dst
            specs[index].plannedDST = DSTPolicy(
                gap: dst.gap == .skip ? .runAfter : .skip,
                overlap: dst.overlap == .second ? .first : .second)
        }
    }

    /// Bounds of the `variant`th configuration: each start may come with another.
    func settings(_ variant: Int) -> CoreSettings {
        var random = Randomness(seed, 2, UInt64(variant))
        var settings = CoreSettings()
        settings.workers = workers
        settings.undescribed = []
        // Another configuration can have a type with another worker.
        var moved = Randomness(seed, 6, UInt64(variant))
        let isMoved = moved.percent(20)
        for worker in workers {
            let shipped = WorkerID.shipped(worker.taskClass)
            let type = "\(worker.taskClass.name).\(worker.isShipped ? "work" : "other")"
            settings.typeWorkers[type] = isMoved ? shipped : worker
        }
        settings.isEnabled = !random.percent(4)
        settings.maximumConcurrency = 1 + random.below(5)
        for taskClass in TaskClass.allCases where random.percent(40) {
            settings.classConcurrency[taskClass] = 1 + random.below(3)
        }
        settings.claimAhead = random.pick([.zero, .milliseconds(5), .milliseconds(5), .seconds(2)])
        settings.maximumCatchUp = random.pick([2, 5, 20])
        settings.classTimeouts = [
            .maintenance: .seconds(400), .security: .seconds(60), .agency: .seconds(300),
            .user: .seconds(120),
        ]
        settings.heartbeatInterval = .seconds(random.pick([10, 60, 300, 600, 900, 900]))
        settings.resourceCheckInterval = .seconds(random.pick([10, 30, 60]))
        settings.admissionsPerTurn = random.pick([1, 3, 512])
        settings.maximumWaitingChanges = random.pick([200, 50_000])
        return settings
    }
}
