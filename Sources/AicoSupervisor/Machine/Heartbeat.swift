// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Whether the scheduler answers: each interval asks once, and too many questions without an
/// answer are a silence.
///
/// It counts questions, not time: while the supervisor does not run it asks none.
struct Heartbeat: Equatable {
    /// From one question to the next.
    static let interval = Duration.seconds(5)
    /// A scheduler that has started may be silent for this long.
    static let patience = Duration.seconds(20)
    /// A new one opens its store first, which may be large.
    static let startPatience = Duration.seconds(300)

    /// The number of the last question.
    private(set) var asked: Int32 = 0
    /// The number of the last question that was answered.
    private(set) var answered: Int32 = 0
    /// Questions since the one that was answered last.
    private(set) var unanswered: Int32 = 0
    private(set) var hasStarted = false

    /// How long the scheduler has been silent, where that is too long.
    var silence: Duration? {
        let time = Self.interval * Int(unanswered)
        return time >= (hasStarted ? Self.patience : Self.startPatience) ? time : nil
    }

    /// Counts a question and gives its number.
    mutating func ask() -> Int32 {
        // At an interval of seconds the numbers last for centuries.
        asked += 1
        unanswered += 1
        return asked
    }

    /// Takes an answer; false where nothing was asked that it could be for.
    mutating func answer(_ number: Int32) -> Bool {
        guard answered < number, number <= asked else { return false }
        answered = number
        unanswered = min(unanswered, asked - number)
        hasStarted = true
        return true
    }

    /// Takes a sign that it has started.
    mutating func start() { hasStarted = true }

    /// Begins the wait anew: nothing is known of the time that has passed.
    mutating func waitAnew() { unanswered = 0 }

    /// Begins with a scheduler that was asked nothing.
    mutating func forget() {
        answered = asked
        unanswered = 0
        hasStarted = false
    }
}
