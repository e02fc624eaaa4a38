// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import SystemPackage
import Testing

@testable import LinuxSystem

/// Descriptors, pipes, waits and clocks on the real kernel, and where a call of it fails.
struct DescriptorTests {
    @Test func isClosedWithItsOwnerAlone() throws {
        var number: Int32 = -1
        do {
            let pipe = try Pipe()
            number = pipe.reading.number
            #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
        }
        #expect(fcntl(number, F_GETFD) == -1)
        let pipe = try Pipe()
        let kept = pipe.reading.release()
        #expect(fcntl(kept, F_GETFD) == FD_CLOEXEC)
        close(kept)
    }

    @Test func aCallThatIsInterruptedIsMadeAgain() throws {
        let pipe = try Pipe()
        let run = try ForcedErrno.run([
            .write: [.interrupted, .interrupted, nil, .ioError]
        ]) {
            try pipe.writing.write([1, 2, 3])
            #expect(throws: Errno.ioError) { try pipe.writing.write([4]) }
        }
        #expect(run.isUsedUp)
        var room = [UInt8](repeating: 0, count: 9)
        let count = try pipe.reading.read(into: &room)
        #expect(room[..<count] == [1, 2, 3])
    }

    @Test func aLockIsForOneOpenFile() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            let first = try directory.open("lock", flags: O_RDWR | O_CREAT, mode: 0o600)
            let second = try directory.open("lock", flags: O_RDWR)
            #expect(try first.lock())
            #expect(try !second.lock())
        }
    }

    @Test func aWaitEndsWithNewsOrItsTime() throws {
        let pipe = try Pipe()
        var set = PollSet()
        let place = set.add(pipe.reading.number)
        set.add(-1)
        let began = Clock.boot
        #expect(try set.wait(for: .milliseconds(5)) == 0)
        #expect(Clock.boot - began >= .milliseconds(5))
        try pipe.writing.write([1])
        #expect(try set.wait(for: nil) == 1)
        #expect(set[place] == .readable)
    }

    @Test func aWaitThatSignalsInterruptKeepsItsEnd() throws {
        // Every millisecond a signal, for longer than the wait lasts.
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        var before = sigaction()
        sigaction(SIGALRM, &action, &before)
        let interval = timeval(tv_sec: 0, tv_usec: 1000)
        var timer = itimerval(it_interval: interval, it_value: interval)
        setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
        defer {
            timer = itimerval()
            setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
            // One may wait at another thread: the default would be the end of the process.
            signal(SIGALRM, SIG_IGN)
            sigaction(SIGALRM, &before, nil)
        }
        var set = PollSet()
        let began = Clock.boot
        #expect(try set.wait(for: .milliseconds(30)) == 0)
        let took = Clock.boot - began
        #expect(took >= .milliseconds(30))
        #expect(took < .seconds(5))
    }

    @Test func aChildsEndIsDecoded() throws {
        for (command, end) in [
            ("exit 7", WaitStatus.exited(code: 7)), ("kill -9 $$", .signaled(signal: 9)),
        ] {
            var child: pid_t = 0
            var arguments: [UnsafeMutablePointer<CChar>?] =
                ["sh", "-c", command]
                .map { (word: String) in strdup(word) } + [nil]
            defer { arguments.forEach { free($0) } }
            #expect(posix_spawn(&child, "/bin/sh", nil, nil, &arguments, nil) == 0)
            #expect(try WaitStatus.take(child, isPatient: true) == end)
            #expect(throws: Errno.noChildProcess) {
                try WaitStatus.take(child, isPatient: false)
            }
        }
    }

    @Test func clocksAreTheKernels() {
        #expect(abs(Int(Clock.wall.components.seconds) - time(nil)) <= 1)
        let monotonic = Clock.monotonic
        #expect(Clock.boot >= monotonic)
        #expect(Duration.nanoseconds(1).pollMilliseconds == 1)
        #expect(Duration.seconds(-1).pollMilliseconds == 0)
    }
}

struct FollowedFileTests {
    @Test func linksAreFollowed() throws {
        #expect(try FileStatus(following: "/proc/self/exe").kind == .regular)
        #expect(throws: Errno.noSuchFileOrDirectory) { try FileStatus(following: "/none") }
        #expect(throws: Errno.notDirectory) { try FileStatus(following: "/dev/null/none") }
    }

    @Test func whatMayNotBeExecutedIsSaid() throws {
        try FileStatus.checkExecutable("/bin/sh")
        #expect(throws: Errno.permissionDenied) {
            try FileStatus.checkExecutable("/etc/passwd")
        }
    }

    @Test func anEndThatIsNotPatientNeverWaits() throws {
        let pipe = try Pipe(isReadingPatient: false, isWritingPatient: false)
        var room = [UInt8](repeating: 0, count: 1)
        #expect(throws: Errno.wouldBlock) { try pipe.reading.read(into: &room) }
        let flood = [UInt8](repeating: 0, count: 1 << 20)
        #expect(throws: Errno.wouldBlock) { try pipe.writing.write(flood) }
    }
}
