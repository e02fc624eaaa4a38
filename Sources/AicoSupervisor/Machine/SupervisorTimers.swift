// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The timers that run, on a clock of its caller's: elapsed time without suspends.
struct SupervisorTimers: Equatable {
    /// A timer that is taken this much later than it was due shows that the supervisor did not run.
    static let overslept = Duration.seconds(2)

    private var due: [SupervisorTimer: Duration] = [:]

    /// When the next one fires.
    var nearest: Duration? { due.values.min() }

    /// Starts a timer, anew if it runs.
    mutating func start(_ timer: SupervisorTimer, at time: Duration) { due[timer] = time }

    /// Stops a timer.
    mutating func stop(_ timer: SupervisorTimer) { due[timer] = nil }

    /// Takes the timers that are due, and before them word of a loop that came back late.
    mutating func take(at now: Duration) -> [SupervisorEvent] {
        let fired = due.filter { $0.value <= now }.sorted { $0.value < $1.value }
        for (timer, _) in fired { due[timer] = nil }
        let isLate = fired.contains { now - $0.value > Self.overslept }
        return (isLate ? [.overslept] : []) + fired.map { .timer($0.key) }
    }
}
