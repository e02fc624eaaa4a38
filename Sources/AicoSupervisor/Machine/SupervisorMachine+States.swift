// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension SupervisorMachine {
    /// The scheduler, and with it the phase of the whole system.
    enum SchedulerState: Equatable, CaseIterable {
        /// It runs and may ask.
        case running
        /// It was killed; what it still says is not heard.
        case dying
        /// It is gone and comes back by timer.
        case backingOff
        /// A stop is under way: it was told to finish.
        case stopping
        /// All is over.
        case finished
    }

    /// One worker.
    enum WorkerState: Equatable {
        /// Not asked for since the scheduler's start.
        case idle
        /// A launch is under way.
        case launching
        case running(processID: UInt64)
        /// Ended with this wait status and these last words; comes back by timer.
        case backingOff(lastStatus: Int32, words: [UInt8] = [])
        /// Killed with the old scheduler; `wanted` if the new one has asked for it meanwhile.
        case dying(wanted: Bool)
    }
}
