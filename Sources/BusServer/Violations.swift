// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Who sent the events' socket something that is no subscription, and has to stay outside for it.
///
/// Until all that waits is read then, no subscription can be taken: a key that did it with one
/// connection after the other would keep all new subscribers out.
struct Violations {
    /// How long a key stays outside, from its last one on.
    static let pause = Duration.seconds(20)

    private var latest: [String: Duration] = [:]

    /// Takes note of one; names are those of admitted clients, so there are few.
    mutating func note(_ name: String, at now: Duration) { latest[name] = now }

    /// Whether a client has to stay outside.
    func bars(_ name: String, at now: Duration) -> Bool {
        latest[name].map { now - $0 < Self.pause } ?? false
    }
}
