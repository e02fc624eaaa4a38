// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// How long to wait before a relaunch: 0.1 s, doubling with each quick death, at most 30 s.
struct Backoff: Equatable {
    /// A process that ran this long counts as healthy: its next death waits the shortest time.
    static let healthyAfter = Duration.seconds(60)
    static let shortest = Duration.milliseconds(100)
    static let longest = Duration.seconds(30)

    /// Deaths in a row without a healthy run between them.
    private(set) var deaths = 0

    /// Counts a death and gives the time to wait.
    mutating func next(ranFor: Duration) -> Duration {
        if ranFor >= Self.healthyAfter { deaths = 0 }
        let delay = deaths < 9 ? Self.shortest * (1 << deaths) : Self.longest
        deaths += 1
        return min(delay, Self.longest)
    }
}
