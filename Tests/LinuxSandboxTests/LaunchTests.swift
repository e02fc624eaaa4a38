// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import Testing

@testable import LinuxSandbox

/// A program of the system as it is launched; the test process itself is the positive control.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct LaunchTests {
    private func program(_ path: String, _ arguments: [String] = []) -> Launch {
        Launch(
            path: path, arguments: arguments, environment: ["ONLY=this"], userID: 61000,
            groupID: 61000)
    }

    @Test func programHoldsNothingAsTheHostSees() throws {
        let program = try program("/usr/bin/sleep", ["1000"]).start()
        defer { program.end() }
        let status = hostStatus(program.pid)
        let own = hostStatus(getpid())
        #expect(own["Uid"] == "0 0 0 0" && own["NoNewPrivs"] == "0")
        #expect(own["CapBnd"] != "0000000000000000")
        #expect(status["Uid"] == "61000 61000 61000 61000")
        #expect(status["Gid"] == "61000 61000 61000 61000")
        #expect(status["Groups"] == "" && status["NoNewPrivs"] == "1")
        for set in ["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"] {
            #expect(status[set] == "0000000000000000", "\(set)")
        }
        #expect(readFile("/proc/\(program.pid)/environ") == "ONLY=this\0")
        #expect(getsid(program.pid) == program.pid && getsid(0) != program.pid)
        // It sees the host as any user does.
        for name in ["pid", "mnt", "net", "user"] {
            #expect(
                linkTarget("/proc/\(program.pid)/ns/\(name)")
                    == linkTarget("/proc/self/ns/\(name)"), "\(name)")
        }
    }

    @Test func programInheritsWhatIsNamedAlone() throws {
        // The control: open without CLOEXEC.
        let leak = open("/etc/passwd", O_RDONLY)
        let given = open("/etc/hostname", O_RDONLY)
        defer { for descriptor in [leak, given] { close(descriptor) } }
        // Its loader's files are closed once it does what it was told to.
        var launch = program("/usr/bin/bash", ["-c", "kill -STOP $$"])
        launch.descriptors = [given, given]
        let program = try launch.start()
        defer { program.end() }
        var status: Int32 = 0
        try #require(waitpid(program.pid, &status, WUNTRACED) == program.pid)
        try #require(status == SIGSTOP << 8 | 0x7F, "it did not stop itself: \(status)")
        var found: [Int: String] = [:]
        for number in 0..<1024 {
            found[number] = linkTarget("/proc/\(program.pid)/fd/\(number)")
        }
        #expect(found.keys.sorted() == [0, 1, 2, 3, 4], "\(found)")
        #expect(found[0] == "/dev/null" && found[3] == "/etc/hostname" && found[4] == found[3])
        #expect(found[1] == linkTarget("/proc/self/fd/1"))
    }

    /// As SECBIT_NOROOT and its like say it: locked, so that no change of ids gives anything back.
    @Test func programsSecurebitsAreLocked() throws {
        var ends: [Int32] = [-1, -1]
        try #require(aico_pipe(&ends) == 0)
        defer { close(ends[0]) }
        var launch = program("/usr/sbin/capsh", ["--print"])
        launch.output = ends[1]
        let program = try launch.start()
        close(ends[1])
        defer { program.end() }
        var text = [UInt8](repeating: 0, count: 65_536)
        var length = 0
        while true {
            let count = text.withUnsafeMutableBytes {
                read(ends[0], $0.baseAddress?.advanced(by: length), $0.count - length)
            }
            guard count > 0 else { break }
            length += count
        }
        let said = String(decoding: text[..<length], as: UTF8.self)
        #expect(said.contains("secure-noroot: yes (locked)"), "\(said)")
        #expect(said.contains("secure-no-suid-fixup: yes (locked)"), "\(said)")
        #expect(said.contains("secure-no-ambient-raise: yes (locked)"), "\(said)")
    }

    @Test func theStepThatFailedIsNamed() throws {
        let missing = #expect(throws: LaunchError.self) { try program("/no/such").start() }
        #expect(missing?.errno == ENOENT && missing?.detail == "/no/such")
        var root = program("/usr/bin/true")
        root.userID = 0
        let refused = #expect(throws: LaunchError.self) { try root.start() }
        #expect(refused?.layer == .identity && refused?.errno == EINVAL)
        var closed = program("/usr/bin/true")
        closed.descriptors = [9999]
        let lost = #expect(throws: LaunchError.self) { try closed.start() }
        #expect(lost?.layer == .descriptors && lost?.errno == EBADF)
        var status: Int32 = 0
        #expect(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD)
    }

    /// Root waits for no file system.
    @Test(.enabled(if: SilentFileSystem.isPossible, "needs /dev/fuse"))
    func launchThatHangsIsEndedInItsTime() throws {
        let directory = try #require(makeTemporaryDirectory())
        defer { removeTree(directory) }
        chmod(directory, 0o755)
        let silent = try SilentFileSystem(on: directory, isOpenToOthers: true)
        #expect(silent.hangsOutside())
        var launch = program("\(directory)/program")
        launch.patience = .milliseconds(300)
        let begin = ContinuousClock.now
        let error = #expect(throws: LaunchError.self) { try launch.start() }
        #expect(error?.errno == ETIMEDOUT, "\(String(describing: error))")
        #expect(error?.left == nil)
        #expect(ContinuousClock.now - begin < .seconds(5))
    }
}
