// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import SystemPackage
import Testing

@testable import LinuxSystem

/// The one policy for errno, at each call that this module makes.
struct ForcedErrnoTests {
    /// Makes one call that comes down to `call`; the compiler misses a new one here.
    private func make(_ call: SystemCall, in directory: borrowing Directory) throws {
        var room: [UInt8] = [0]
        let file = directory.descriptor.file
        switch call {
        case .access: try FileStatus.checkExecutable("/")
        case .dup: _ = try directory.descriptor.duplicate().number
        case .eventfd: _ = try EventCounter().number
        case .fchmod: try directory.descriptor.changeMode(0o700)
        case .fchown: try directory.descriptor.changeOwner(user: .max, group: .max)
        case .fcntl: _ = try Descriptor(inheriting: directory.descriptor.number).release()
        case .flock: _ = try directory.descriptor.lock()
        case .fstat: _ = try file.status()
        case .fsync: try directory.descriptor.sync()
        case .getdents: _ = try directory.names(limit: 1)
        case .link: _ = try directory.link("one", as: "two")
        case .mkdir: try directory.make("below", mode: 0o700)
        case .open: _ = try Directory("/").path
        case .pidfdOpen: _ = try Pidfd.open(getpid()).number
        case .pidfdSignal: try Pidfd.send(0, to: -1)
        case .pipe: _ = try Pipe().reading.number
        case .poll:
            var set = PollSet()
            try set.wait(for: .zero)
        case .pread: _ = try file.content(limit: 1)
        case .read: _ = try directory.descriptor.read(into: &room)
        case .readlink: _ = try FileSystem.target(ofLink: "/proc/self/exe")
        case .receive: _ = try MessageSocket.Pair().ours.receive(into: &room).isNothing
        case .rename: try directory.rename("one", to: "two")
        case .send: try MessageSocket.Pair().ours.send([1])
        case .signalfd: _ = try SignalQueue().descriptor.number
        case .socket, .connect: _ = try NotifySocket(address: "/nowhere")
        case .socketpair: _ = try MessageSocket.Pair().ours.descriptor.number
        case .stat: _ = try FileStatus(following: "/")
        case .statfs: _ = try FileSystem.room(of: "/")
        case .unlink: try directory.remove("one")
        case .wait: _ = try WaitStatus.nextEnded(isReaped: false)
        case .write: try directory.descriptor.write([1])
        }
    }

    @Test(arguments: SystemCall.allCases)
    func aCallIsMadeAgainWhereItWasInterruptedAndElseItsErrnoIsTold(call: SystemCall) throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            let run = ForcedErrno.run([call: [.interrupted, .interrupted, .ioError]]) {
                do {
                    try make(call, in: directory)
                    Issue.record("it did not fail")
                } catch {
                    let code = error as? Errno ?? (error as? SystemError)?.errno
                    #expect(code == .ioError)
                }
            }
            #expect(run.isUsedUp)
        }
    }

    /// Answers that are values, not failures.
    @Test func whatIsExpectedIsNoError() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            let run = try ForcedErrno.run([
                .flock: [.wouldBlock], .mkdir: [.fileExists, .fileExists], .link: [.fileExists],
                .unlink: [.noSuchFileOrDirectory], .fchown: [.noSuchFileOrDirectory],
                .fstat: [.noSuchFileOrDirectory],
            ]) { () throws in
                #expect(try !directory.descriptor.lock())
                #expect(try !directory.make("a", mode: 0o700))
                #expect(try !Directory.make(at: "\(path)/a", mode: 0o700))
                #expect(try !directory.link("a", as: "b"))
                #expect(try !directory.remove("a"))
                #expect(try !directory.changeOwner(of: "a", user: 0, group: 0))
                #expect(try directory.status(of: "a") == nil)
            }
            #expect(run.isUsedUp)
        }
    }

    @Test func aReceiveTellsWhatCameInsteadOfAMessage() throws {
        let pair = try MessageSocket.Pair()
        var room: [UInt8] = [0]
        let run = try ForcedErrno.run([
            .receive: [
                .interrupted, .wouldBlock, .connectionReset, .badMessage, .tooManyOpenFiles,
            ]
        ]) {
            #expect(try pair.ours.receive(into: &room).isNothing)
            guard case .closed = try pair.ours.receive(into: &room),
                case .malformed = try pair.ours.receive(into: &room),
                case .lacksDescriptors(count: 0) = try pair.ours.receive(into: &room)
            else {
                Issue.record("something else was told")
                return
            }
        }
        #expect(run.isUsedUp)
    }

    /// ENOENT, ELOOP and EXDEV of openat2 keep the whole path; nothing is opened instead.
    @Test(arguments: [Errno.noSuchFileOrDirectory, .tooManySymbolicLinkLevels, .improperLink])
    func whatTheKernelRefusesBeneathIsNotOpenedPartByPart(code: Errno) throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.make("a", mode: 0o700)
            try directory.directory("a").replace("f", with: [1], mode: 0o600)
            let run = ForcedErrno.run([.open: [code]]) {
                #expect(throws: SystemError("open", "\(path)/a/f", code)) {
                    _ = try directory.file("a/f").status
                }
            }
            #expect(run.isUsedUp)
        }
    }

    @Test func shortReadsAndWritesGoOn() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            let bytes = (0..<100).map(UInt8.init)
            try ForcedErrno.run([.write: [nil, .interrupted]], most: [.write: 7]) {
                try directory.replace("file", with: bytes, mode: 0o600)
            }
            try ForcedErrno.run([:], most: [.read: 9, .pread: 9]) {
                let file = try directory.file("file")
                #expect(try file.bytes(at: 3, count: 90) == Array(bytes[3..<93]))
                #expect(try file.bytes(limit: 100) == bytes)
                #expect(try file.descriptor.file.content(limit: 100) == bytes)
                #expect(try file.descriptor.file.content(limit: 99) == nil)
            }
        }
    }

    /// A replacement that cannot be made durable is told, though it is in place.
    @Test func theLastSyncIsTold() throws {
        try withTemporaryDirectory { path in
            let directory = try Directory(path)
            try directory.replace("file", with: [1], mode: 0o600)
            let run = ForcedErrno.run([.fsync: [nil, .ioError]]) {
                #expect(throws: SystemError.self) {
                    try directory.replace("file", with: [2], mode: 0o600)
                }
            }
            #expect(run.isUsedUp)
            #expect(try directory.names(limit: 9).names == ["file"])
        }
    }

    @Test func aWaitThatIsInterruptedKeepsItsEnd() throws {
        var set = PollSet()
        let began = Clock.boot
        let run = try ForcedErrno.run([.poll: [.interrupted, .interrupted]]) { () throws in
            #expect(try set.wait(for: .milliseconds(5)) == 0)
        }
        #expect(run.isUsedUp)
        #expect(Clock.boot - began >= .milliseconds(5))
    }
}

extension MessageSocket.Received {
    /// Whether nothing came.
    fileprivate var isNothing: Bool {
        switch self {
        case .nothing: true
        case .message: false
        case .malformed: false
        case .lacksDescriptors: false
        case .closed: false
        }
    }
}

/// Counters, links and processes on the real kernel.
struct KernelObjectTests {
    @Test func aCounterGivesWhatWasRaised() throws {
        let counter = try EventCounter()
        #expect(try counter.take() == 0)
        try counter.raise(by: 2)
        try counter.raise()
        #expect(try counter.take() == 3)
        let semaphore = try EventCounter(isSemaphore: true)
        try semaphore.raise(by: 2)
        #expect(try semaphore.take() == 1)
        #expect(try semaphore.take() == 1)
        #expect(try semaphore.take() == 0)
    }

    @Test func aProcessIsKilledAndReapedByItsDescriptor() throws {
        var child: pid_t = 0
        var arguments = ["sleep", "600"].map { (word: String) in strdup(word) } + [nil]
        defer { arguments.forEach { free($0) } }
        #expect(posix_spawnp(&child, "sleep", nil, nil, &arguments, nil) == 0)
        let process = try Pidfd.open(child)
        #expect(try Pidfd.reap(process.number) == nil)
        Pidfd.kill(process.number)
        var set = PollSet()
        set.add(process.number)
        #expect(try set.wait(for: .seconds(20)) == 1)
        #expect(try Pidfd.reap(process.number) == .signaled(signal: SIGKILL))
        #expect(throws: Errno.noChildProcess) { try Pidfd.reap(process.number) }
        #expect(throws: Errno.noSuchProcess) { try Pidfd.send(0, to: process.number) }
    }

    @Test func aLinkSaysWhereItLeads() throws {
        #expect(try FileSystem.target(ofLink: "/proc/self/fd/0").isEmpty == false)
        #expect(throws: Errno.invalidArgument) { try FileSystem.target(ofLink: "/") }
        #expect(Errno.words(ENOENT) == "No such file or directory")
    }
}
