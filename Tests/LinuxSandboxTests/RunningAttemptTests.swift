// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import Testing

@testable import LinuxSandbox

/// What the fork server makes of a cgroup's answers.
struct RunningAttemptTests {
    /// A cgroup whose files say what the test wants.
    final class StubCgroup: AttemptCgroup {
        var entry = CgroupEntry(cloneDescriptor: -1, joinDescriptors: [])
        var outOfMemoryEvent: Int32?
        var failure: Int32?
        var empty = false
        var memoryKillsNow: UInt64 = 0
        private(set) var kills = 0

        func kill() throws(CgroupError) { kills += 1 }
        func isEmpty() throws(CgroupError) -> Bool {
            try fail()
            return empty
        }
        func memoryKills() throws(CgroupError) -> UInt64 {
            try fail()
            return memoryKillsNow
        }
        func usage() throws(CgroupError) -> CgroupUsage { CgroupUsage() }
        func release() {}
        private func fail() throws(CgroupError) {
            if let failure { throw CgroupError(operation: "read", subject: "x", errno: failure) }
        }
    }

    private let cgroup = StubCgroup()

    private func attempt() -> RunningAttempt {
        RunningAttempt(
            attempt: 1, slot: 0, cgroup: cgroup, pidfd: -1, setup: nil,
            startedAt: monotonicNanoseconds())
    }

    @Test(arguments: [EMFILE, EACCES, EIO, ENOMEM]) func unreadableTreeIsKilledNotGone(
        failure: Int32
    ) {
        cgroup.failure = failure
        #expect(!attempt().isGone())
        #expect(cgroup.kills == 1)
    }

    @Test(arguments: [ENOENT, ENODEV]) func removedTreeIsGone(failure: Int32) {
        cgroup.failure = failure
        #expect(attempt().isGone())
        #expect(cgroup.kills == 0)
    }

    @Test func treeThatStaysIsLookedAtLessAndLessOften() {
        let attempt = attempt()
        attempt.waitStatus = 0
        for pause: UInt64 in [1, 2, 4, 8, 16, 32, 64, 128, 128] {
            let before = monotonicNanoseconds()
            #expect(!attempt.isGone())
            let wait = (attempt.nextLook ?? 0) - before
            #expect(wait >= pause * 1_000_000 && wait < pause * 1_000_000 + 1_000_000_000)
        }
        cgroup.empty = true
        #expect(attempt.isGone())
    }

    @Test func memoryEventWithoutAKillOfItsOwnHarmsNothing() throws {
        let event = eventfd(1, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        try #require(event >= 0)
        defer { close(event) }
        cgroup.outOfMemoryEvent = event
        let attempt = attempt()
        attempt.noteOutOfMemory()
        var waiting = pollfd(fd: event, events: Int16(POLLIN), revents: 0)
        #expect(poll(&waiting, 1, 0) == 0, "drained, or the loop would spin")
        var looks = 1
        while attempt.nextLook != nil {
            attempt.lookForMemoryKill()
            looks += 1
        }
        #expect(looks == 9 && cgroup.kills == 0)
    }

    @Test func killThatFollowsItsEventEndsTheTree() {
        let attempt = attempt()
        attempt.noteOutOfMemory()
        #expect(cgroup.kills == 0 && attempt.nextLook != nil)
        cgroup.memoryKillsNow = 1
        attempt.lookForMemoryKill()
        #expect(cgroup.kills == 1 && attempt.nextLook == nil)
    }

    @Test func killThatCannotBeReadOfIsTakenForOne() {
        cgroup.failure = EMFILE
        attempt().noteOutOfMemory()
        #expect(cgroup.kills == 1)
    }
}
