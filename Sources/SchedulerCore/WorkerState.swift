// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// Where a worker stands.
///
/// A worker takes orders once it answered a ping that was sent after its launch, and its class's
/// canary passed: orders that a dead worker's connection swallowed, and reports that one left
/// behind, are told apart by the ping.
package enum WorkerState: String, Sendable, CaseIterable {
    /// Not launched, or ended.
    case absent
    /// Launched; answers no ping yet.
    case launched
    /// Lives; its class's canary tries the ways out.
    case probing
    /// Takes orders.
    case ready
    /// Its class's canary got out, or was not ended as it must be: takes no orders, and nothing it
    /// says counts.
    case canaryFailed = "canary_failed"
    /// Broke a rule or gave no sign of life; the supervisor was asked to kill it.
    case quarantined

    /// What can happen to a worker.
    package enum Transition: String, Sendable, CaseIterable {
        case launch
        /// No process came to be.
        case launchFail = "launch_fail"
        case pong
        case pass
        case fail
        case quarantine
        case exit
    }

    /// Gives the state after a transition; nil where the two do not go together.
    package func next(after transition: Transition) -> WorkerState? {
        switch (self, transition) {
        case (.absent, .launch): .launched
        case (.absent, .launchFail), (.quarantined, .launchFail): .absent
        case (.launched, .pong): .probing
        case (.probing, .pass): .ready
        case (.probing, .fail): .canaryFailed
        case (.absent, .quarantine), (.launched, .quarantine), (.probing, .quarantine),
            (.ready, .quarantine):
            .quarantined
        case (.launched, .exit), (.probing, .exit), (.ready, .exit), (.canaryFailed, .exit),
            (.quarantined, .exit):
            .absent
        case (.absent, _), (.launched, _), (.probing, _), (.ready, _), (.canaryFailed, _),
            (.quarantined, _):
            nil
        }
    }
}

/// A worker, and what waits to be sent to it.
package struct Worker: Sendable {
    /// Which one it is.
    package let id: WorkerID
    /// Where it stands.
    package internal(set) var state = WorkerState.absent
    /// Since when, by both clocks.
    package internal(set) var since: Time
    /// Its process; nil where there is none.
    package internal(set) var processID: UInt64?
    /// Launches after the first.
    package internal(set) var restarts = -1
    /// The layers that confine it, as it says.
    package internal(set) var layers: [String] = []
    /// How many attempts it runs at once, as it says.
    var capacity = Int.max
    /// The longest an attempt of it may take by its profile, as it says.
    package internal(set) var wallLimit: Duration?
    /// Why it takes no orders.
    package internal(set) var why: String?
    /// The canary that runs in it.
    var canary: CanaryRun?
    /// Attempts whose orders were sent to it before its last processes ended: such an order can
    /// still have been read by the successor, which is not to blame for it. The latest alone.
    var formerAttempts: [AttemptKey] = []
    /// How many ways out its canary found closed.
    package internal(set) var passedChecks: Int?
    /// The ping that it has to answer.
    var nonce: UInt64 = 0
    /// Since when it owes a sign of life, by the boot clock; nil where it owes none.
    package internal(set) var askedAt: Duration?
    /// Whether its orders pipe has no room.
    package internal(set) var isBlocked = false
    /// Orders that have not left, the next first.
    var outbox: [Order] = []
    /// How many of these came back since the pipe had room.
    var returned = 0
    /// Executions of its types that hold one of the class's places.
    package internal(set) var running = 0
    /// How often it died in a row without having worked for long.
    package internal(set) var deaths = 0
    /// How it ended last, in words.
    package internal(set) var lastEnd: String?
    /// When it did.
    var diedAt: Instant?

    init(_ id: WorkerID, at now: Time) {
        self.id = id
        since = now
    }

    /// Whether it takes orders.
    package var isReady: Bool { state == .ready }

    /// Keeps attempts whose orders a successor may have read, the latest ones.
    mutating func keepFormer(_ attempts: [AttemptKey]) {
        formerAttempts = Array((formerAttempts + attempts).suffix(64))
    }

    /// Moves on; false where the transition is not one of its state, and then nothing changed.
    mutating func move(_ transition: WorkerState.Transition, at now: Time) -> Bool {
        guard let next = state.next(after: transition) else { return false }
        if next != state { since = now }
        state = next
        return true
    }
}
