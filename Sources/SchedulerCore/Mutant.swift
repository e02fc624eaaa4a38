// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

/// Faults that a simulation plants into the core, to prove that it catches them.
///
/// Only a build with AICO_MUTANTS defined can plant one; in any other, `planted` is false and the
/// compiler removes what depends on it.
package enum Mutant: String, Sendable, CaseIterable {
    case claimWithoutNextRun = "claim_without_next_run"
    case replyBeforeCommit = "reply_before_commit"
    case cancelBeforeCommit = "cancel_before_commit"
    case timeoutsOnWallClock = "timeouts_on_wall_clock"
    case instantDroppedInGap = "instant_dropped_in_gap"
    case timerLostAfterStep = "timer_lost_after_step"
    case placeNotGivenBack = "place_not_given_back"
    case retryCountedTwice = "retry_counted_twice"
    case catchUpStartsTwice = "catch_up_starts_twice"
    case failureAsSuccess = "failure_as_success"
    case lateReportBelieved = "late_report_believed"
    case overlapIgnored = "overlap_ignored"
    case endNotWritten = "end_not_written"
    case cancelForgotten = "cancel_forgotten"
    case sequenceNotChecked = "sequence_not_checked"
    case oldIdentityResumed = "old_identity_resumed"
    case doubleReply = "double_reply"
    case waitNotRecorded = "wait_not_recorded"
    case stopNeverEnds = "stop_never_ends"
    case classLimitIgnored = "class_limit_ignored"
    case typeIgnored = "type_ignored"
    case globalLimitIgnored = "global_limit_ignored"
    case idleOnlyIgnored = "idle_only_ignored"
    case backstopNotArmed = "backstop_not_armed"
    case rebootAtEachStart = "reboot_at_each_start"
    case undoForgotten = "undo_forgotten"
    case waitingNotRestored = "waiting_not_restored"
    case unsentDropped = "unsent_dropped"
    case suspendKillsWorkers = "suspend_kills_workers"
    case eventBeforeCommit = "event_before_commit"
    case waitingWriteForgotten = "waiting_write_forgotten"
    case orderBeforeInstant = "order_before_instant"
    case rowsNotAwaited = "rows_not_awaited"
    /// Of the timetable itself, which core and simulation share; planted by the simulation.
    case wrongDSTInstant = "wrong_dst_instant"
}

extension SchedulerCore {
    #if AICO_MUTANTS
        func planted(_ mutant: Mutant) -> Bool { self.mutant == mutant }
    #else
        @inline(__always)
        func planted(_ mutant: Mutant) -> Bool { false }
    #endif

    /// The fault `replyBeforeCommit`.
    mutating func answerEarly(_ then: Ledger.Continuation) {
        switch then {
        case .created(let key, let request?), .deleted(let key, let request):
            reply(request, .task(key))
        case .reply(let request, let reply): self.reply(request, reply)
        case .claimed(let id), .recorded(let id):
            if let request = executions[id]?.asked, let task = executions[id]?.task.id {
                executions[id]?.asked = nil
                reply(request, .execution(id, task, waits: nil))
            }
        case .nothing, .created, .updated, .withdrawn, .noted: break
        }
    }
}
