// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import Foundation
import Testing

/// Writers that are killed, or two at once: claims are neither lost nor doubled.
@Suite(.serialized) struct CrashTests {
    /// Claims instants 0, 1, 2, ... and appends each to a file once `perform` has returned; runs
    /// `afterFirst` once the first one stands there.
    static func claimForever(directory: String, afterFirst: () -> Void) throws {
        let store = try TaskStore(path: directory + "/aico.db", keys: Fixture.keys)
        var isFirst = true
        let journal = open(directory + "/claimed", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        for second in Int64(0)... {
            let outcomes = try store.perform([
                try Fixture.claim(at: second, execution: "e\(second)-\(getpid())")
            ])
            guard case .claimed(let attempt, _)? = outcomes.first else { continue }
            let line = Array("\(second)\n".utf8)
            _ = line.withUnsafeBytes { write(journal, $0.baseAddress, $0.count) }
            if isFirst { afterFirst() }
            isFirst = false
            if second % 3 == 0 { try store.perform([Fixture.success(attempt)]) }
        }
    }

    private static func journal(_ directory: String) throws -> [Int64] {
        let text = try String(contentsOfFile: directory + "/claimed", encoding: .utf8)
        return text.split(separator: "\n").compactMap { Int64($0) }
    }

    @Test(arguments: [3, 17, 40, 111])
    func aKilledWriterLosesNoClaimAndNoneRunsTwice(killAfterMilliseconds: Int) async throws {
        let scratch = try Scratch()
        try scratch.store().perform([.createTask(try Fixture.task())])
        let directory = scratch.path
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [directory = directory as String, delay = killAfterMilliseconds as Int] in
            let killer = Thread {
                // Not a wait for a state: the moment of death is what the test varies.
                usleep(UInt32(delay) * 1000)
                kill(getpid(), SIGKILL)
            }
            try CrashTests.claimForever(directory: directory) { killer.start() }
        }
        let claimed = try Self.journal(directory)
        try #require(!claimed.isEmpty)
        let store = try scratch.store()
        #expect(try store.integrityProblems().isEmpty)
        let stored = try store.history(task: nil, limit: .max)
        let seconds = stored.map { ($0.plannedAt - Fixture.start).components.seconds }
        #expect(Set(seconds).count == seconds.count)
        #expect(Set(claimed).subtracting(seconds).isEmpty)
        // At most the one claim whose return the writer did not live to see.
        #expect(seconds.count - claimed.count <= 1)
        for second in seconds {
            #expect(
                try store.perform([try Fixture.claim(at: second, execution: "again\(second)")])
                    == [.alreadyClaimed])
        }
        // What ran when it died is found again, each with its one running attempt.
        let open = stored.filter { $0.state == .running }.map(\.id)
        #expect(try Set(store.runningAttempts().records.map(\.executionID)) == Set(open))
        #expect(try store.count("task_attempts") == stored.count)
    }

    @Test func twoWritersClaimEachInstantOnce() async throws {
        let scratch = try Scratch()
        try scratch.store().perform([.createTask(try Fixture.task())])
        let path = scratch.database
        let claims = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for writer in 0..<2 {
                group.addTask {
                    let store = try TaskStore(path: path, keys: Fixture.keys)
                    return try (Int64(0)..<200).filter { second in
                        let outcomes = try store.perform([
                            try Fixture.claim(at: second, execution: "w\(writer)-\(second)")
                        ])
                        return outcomes != [.alreadyClaimed]
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(claims.sorted() == Array(0..<200))
    }

    @Test func aHeldWriteLockIsReportedAsBusy() throws {
        let scratch = try Scratch()
        let holder = try scratch.store()
        let waiter = try TaskStore(
            path: scratch.database, keys: Fixture.keys, busyTimeout: 0.05)
        try holder.inTransaction {
            #expect(
                throws: StoreError(
                    operation: "write a batch of 1", subject: "", cause: .busy)
            ) { try waiter.perform([.purgeDeadLetters]) }
        }
        #expect(try waiter.perform([.purgeDeadLetters]) == [.done])
    }
}
