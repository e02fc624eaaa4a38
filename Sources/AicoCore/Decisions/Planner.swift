// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Sorts a task's due instants into those that run and those that do not.
package enum Planner {
    /// Later than this an instant counts as missed.
    package static let grace = Duration.seconds(60)
    /// The most instants that one plan runs, where nothing else is said.
    package static let runCap = 100
    /// The most instants that one plan lists as not run; older ones are left out.
    package static let listCap = 1000
    /// The most instants that one plan looks at.
    private static let searchCap = 100_000

    /// One instant that runs.
    package struct Due: Sendable, Hashable {
        /// The instant.
        package var instant: Instant
        /// True where it was missed and runs all the same.
        package var isCatchUp: Bool

        /// Makes one.
        package init(instant: Instant, isCatchUp: Bool = false) {
            self.instant = instant
            self.isCatchUp = isCatchUp
        }
    }

    /// Why an instant does not run.
    package enum Miss: String, Sendable, CaseIterable {
        /// The misfire policy is `skip`.
        case policy = "misfire_skip"
        /// It lies before the catch-up window.
        case window = "catchup_window"
        /// More were missed than may run.
        case cap = "catchup_cap"
        /// A later one runs in its place.
        case coalesced
    }

    /// One instant that does not run.
    package struct NotRun: Sendable, Hashable {
        /// The instant.
        package var instant: Instant
        /// Why.
        package var reason: Miss

        /// Makes one.
        package init(instant: Instant, reason: Miss) {
            self.instant = instant
            self.reason = reason
        }
    }

    /// What is to be done about a task now.
    package struct Plan: Sendable, Hashable {
        /// Runs, earliest first.
        package var due: [Due] = []
        /// Does not run, earliest first.
        package var notRun: [NotRun] = []
        /// When the task is due after that; always later than now.
        package var next: Instant?

        package init() {}
    }

    /// The schedule of one task with all that decides its instants.
    package struct Timetable: Sendable {
        /// The schedule.
        package var schedule: Schedule
        /// Its zone.
        package var zone: ZoneRules
        /// Where an interval's grid begins.
        package var created: Instant
        /// How it runs.
        package var policies: TaskPolicies

        package init(
            schedule: Schedule, zone: ZoneRules, created: Instant, policies: TaskPolicies
        ) {
            self.schedule = schedule
            self.zone = zone
            self.created = created
            self.policies = policies
        }

        /// Gives the first instant later than `after`.
        package func next(after: Instant) -> Instant? {
            schedule.next(after: after, in: zone, created: created, dst: policies.dst)
        }
    }

    /// Plans all instants from `from` to `now`, both included.
    ///
    /// `from` is the task's next run as it was known: due if it is not later than `now`. Of what
    /// was missed at most `cap` run.
    package static func plan(
        _ table: Timetable, from: Instant, now: Instant, cap: Int = runCap
    ) -> Plan {
        var plan = Plan()
        plan.next = table.next(after: max(now, from - .microseconds(1)))
        guard from <= now else { return plan }
        let windowStart = now - table.policies.catchUpWindow
        var found: [Instant] = []
        if from < windowStart, from < now - grace {
            plan.notRun.append(NotRun(instant: from, reason: .window))
        } else {
            found.append(from)
        }
        var last = max(from, windowStart - .microseconds(1))
        for _ in 0..<searchCap {
            guard let instant = table.next(after: last), instant <= now else { break }
            found.append(instant)
            last = instant
        }
        sort(found, now: now, policy: table.policies.misfire, cap: cap, into: &plan)
        if plan.notRun.count > listCap {
            // The first one stands for what lies before the window: it stays.
            let kept = plan.notRun[0].reason == .window ? 1 : 0
            plan.notRun.removeSubrange(kept..<(plan.notRun.count - listCap + kept))
        }
        return plan
    }

    /// Gives the time by which a task starts later than planned.
    package static func jitter(of task: TaskID, policies: TaskPolicies) -> Duration {
        StableJitter.offset(of: task.text, upTo: policies.jitter)
    }

    private static func sort(
        _ found: [Instant], now: Instant, policy: MisfirePolicy, cap: Int, into plan: inout Plan
    ) {
        func isMissed(_ instant: Instant) -> Bool { instant < now - grace }
        func run(_ instants: some Sequence<Instant>) {
            plan.due += instants.map { Due(instant: $0, isCatchUp: isMissed($0)) }
        }
        func drop(_ instants: some Sequence<Instant>, _ reason: Miss) {
            plan.notRun += instants.map { NotRun(instant: $0, reason: reason) }
        }
        switch policy {
        case .runOnce:
            drop(found.dropLast(), .coalesced)
            run(found.suffix(1))
        case .skip:
            drop(found.filter(isMissed), .policy)
            let recent = found.filter { !isMissed($0) }
            drop(recent.dropLast(), .coalesced)
            run(recent.suffix(1))
        case .runAll:
            drop(found.dropLast(cap), .cap)
            run(found.suffix(cap))
        }
    }
}
