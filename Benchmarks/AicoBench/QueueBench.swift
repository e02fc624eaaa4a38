// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import SchedulerCore

/// What a waiting execution costs the scheduler's core among few others and among a million.
enum QueueBench {
    private static let few = 20_000
    private static let many = 1_000_000

    static func run(into report: inout BenchReport) throws {
        let small = try Waiting(few)
        let large = try Waiting(many)
        report.add("queued among \(few)", small.perExecution, "us")
        report.add("queued among \(many)", large.perExecution, "us")
        report.add(
            "the same, ratio", large.perExecution / small.perExecution, "", atMost: 3)
        report.add("one more run among \(few)", small.run, "us")
        report.add("one more run among \(many)", large.run, "us")
        report.add("one more task among \(few)", small.create, "us")
        report.add("one more task among \(many)", large.create, "us")
        report.add("longest event while \(many) are queued", large.longestTurn, "ms")
    }

    /// A core whose tasks are all due at once while their class takes no orders.
    private struct Waiting {
        /// Microseconds for each execution that came to wait.
        private(set) var perExecution = 0.0
        /// Median microseconds of a request to run one task more.
        private(set) var run = 0.0
        /// Median microseconds of a request to make one task more.
        private(set) var create = 0.0
        /// Milliseconds of the event that the core took longest for.
        private(set) var longestTurn = 0.0
        private var core: SchedulerCore
        private var time = Time(wall: Instant(seconds: 1_750_000_020), boot: .seconds(1000))

        init(_ count: Int) throws {
            core = SchedulerCore(settings: CoreSettings(), at: time)
            var facts = StartFacts()
            facts.tasks = try (0..<count).map { try Self.task($0, at: time.wall) }
            turn(.start(facts))
            turn(.load(.known(Admission.Load(cpu: 1, memory: 1))))
            time = Time(wall: time.wall + .seconds(61), boot: time.boot + .seconds(61))
            longestTurn = 0
            let total = milliseconds {
                repeat { turn(.timer) } while core.executions.count < count
            }
            perExecution = total * 1000 / Double(count)
            var runs = Samples()
            var creates = Samples()
            for number in 0..<200 {
                // In the middle of the others, by name.
                let task = try Self.task(count / 2, more: "-\(number)", at: time.wall)
                creates.values.append(
                    1000 * milliseconds { turn(.request(1, actor: "bench", .create(task))) })
                runs.values.append(
                    1000
                        * milliseconds {
                            turn(.request(2, actor: "bench", .run(task.record.key.id)))
                        })
            }
            run = runs.median
            create = creates.median
            guard core.executions.count == count + 200 else {
                throw BenchError("\(core.executions.count) of \(count + 200) executions wait")
            }
        }

        private static func task(
            _ number: Int, more: String = "", at now: Instant
        ) throws -> TaskDefinition {
            let digits = String(String(number + 10_000_000).dropFirst())
            let schedule = try Schedule.parse("* * * * *")
            let id = try TaskID("user.t\(digits)\(more)")
            var record = StoredTask(
                key: TaskKey(id: id, uid: "uid-\(digits)\(more)"), type: "user.command",
                schedule: schedule.text, origin: "bench", createdAt: now, updatedAt: now)
            record.nextRun = schedule.next(after: now, in: .utc, created: now)
            return TaskDefinition(
                record: record,
                table: Planner.Timetable(
                    schedule: schedule, zone: .utc, created: now, policies: TaskPolicies()))
        }

        /// One turn of the loop, with a store that writes at once.
        private mutating func turn(_ event: Event) {
            let settle = Event.settle(Heard(until: time.boot))
            var events = [event, settle]
            while !events.isEmpty {
                var actions: [Action] = []
                let next = events.removeFirst()
                let spent = milliseconds { actions = core.handle(next, at: time) }
                longestTurn = max(longestTurn, spent)
                for action in actions {
                    guard case .write(let token, let changes) = action else { continue }
                    let results = changes.map { _ in ChangeResult.outcome(.done) }
                    events += [.committed(token: token, .success(results)), settle]
                }
            }
        }
    }
}
