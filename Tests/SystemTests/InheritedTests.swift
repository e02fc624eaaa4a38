// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import BusClient
import Glibc
import Testing

/// What a system is started with decides nothing of what its tasks get.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct InheritedTests {
    /// What a process says of what it inherited.
    private static let look = """
        grep -E '^Sig(Ign|Blk)' /proc/self/status; cat /proc/self/personality; nice; umask
        echo files $(ulimit -Sn) $(ulimit -Hn); [ "$(ulimit -Sp)" = "$(ulimit -Hp)" ]; echo $?
        """
    /// A shell's worst habits, as far as root may have them. Fewer descriptors and processes than a
    /// system has.
    private static let habits = """
        umask 027; trap '' PIPE USR1 ALRM CHLD; ulimit -Sn 24; ulimit -Sp 10
        exec setarch -R nice -n 7 "$@"
        """

    @Test func aTaskHasNothingOfIt() throws {
        // The control: a child of such a shell has all of it.
        let child = try HostProcess(
            ["/bin/sh", "-c", Self.habits, "sh", "/bin/sh", "-c", Self.look])
        let outside = child.remainingOutput(within: Built.patience(seconds: 30))
            .split(separator: "\n").map(String.init)
        #expect(outside.first != "SigIgn:\t0000000000000000", "\(outside)")
        #expect(outside.contains("00040000") && outside.contains("7") && outside.contains("0027"))
        #expect(outside.contains { $0.hasPrefix("files 24 ") } && outside.contains("1"))
        let instance = try Instance(starter: Self.habits)
        let ended = try instance.runToEnd("user.look", argv: ["/bin/sh", "-c", Self.look])
        #expect(
            ended.lines.sorted()
                == [
                    "0", "0", "00000000", "0077", "SigBlk:\t0000000000000000",
                    // Two of glibc's own, which its posix_spawn(3) leaves ignored.
                    "SigIgn:\t0000000180000000", "files 1024 1024",
                ], "\(ended.data.text())")
        #expect(instance.stop() == 0)
    }

    /// Their numbers would go to the next files that are opened, and those to every child.
    @Test(arguments: ["2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"])
    func closedStandardDescriptorsAreNobodys(closed: String) throws {
        let instance = try Instance(starter: "exec \"$@\" \(closed)", awaiting: nil)
        let ended = try instance.runToEnd("user.fine", argv: ["/bin/echo", "fine"])
        #expect(ended.lines == ["fine"])
        let processes = try instance.hostProcesses()
        // The scheduler, and workers with their fork servers.
        #expect(processes.count >= 7, "\(processes)")
        for process in processes.map(\.processID) + [instance.supervisor.processID] {
            for number in 0...2 {
                var status = stat()
                let path = "/proc/\(process)/fd/\(number)"
                try #require(stat(path, &status) == 0, "\(path)")
                let isNull = status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == 0x103
                #expect(
                    isNull || status.st_mode & S_IFMT == S_IFIFO,
                    "descriptor \(number) of \(process) is \(linkTarget(path))")
            }
        }
        #expect(instance.stop() == 0)
    }

    /// With its number free, a socket or an event would get what is printed.
    @Test func aClosedOutputOfTheCommandLineIsAnError() throws {
        let instance = try Instance()
        func list(_ redirection: String) throws -> (said: String, status: Int32?) {
            let child = try HostProcess(
                [
                    "/bin/sh", "-c", "exec \"$@\" \(redirection)", "sh", "\(instance.bin)/aico",
                    "scheduler", "list",
                ], environment: ["AICO_ROOT=\(instance.root)", "PATH=/usr/bin:/bin"])
            let said = child.remainingOutput(within: Built.patience(seconds: 30))
            return (said, child.waitForEnd(within: Built.patience(seconds: 10)))
        }
        #expect(try list("").status == 0)
        let closed = try list(">&-")
        #expect(closed.status != 0)
        #expect(closed.said.contains("Bad file descriptor"), "\(closed)")
        #expect(instance.stop() == 0)
    }

    /// Under the capabilities that the unit leaves, all of the system works; without the one by which it
    /// looks at its workers, no class does.
    @Test func theUnitsCapabilitiesAreEnough() throws {
        let instance = try Instance(starter: Self.bounded(without: ""))
        let ended = try instance.runToEnd("user.fine", argv: ["/bin/echo", "fine"])
        #expect(ended.lines == ["fine"])
        #expect(instance.stop() == 0)
        let blind = try Instance(
            starter: Self.bounded(without: "sys_ptrace"), awaiting: "cannot launch class user")
        #expect(blind.stop() == 0)
    }

    private static func bounded(without: String) -> String {
        """
        keep=$(sed -n 's/^CapabilityBoundingSet=//p' \(projectDirectory)/config/aico-supervisor.service |
            tr A-Z a-z | sed 's/cap_//g')
        drop=
        for name in $(setpriv --list-caps); do
            case " $keep " in *" $name "*) [ "$name" = "\(without)" ] || continue ;; esac
            drop=$drop,-$name
        done
        exec setpriv --inh-caps=-all --bounding-set="${drop#,}" "$@"
        """
    }

    /// Both halves of each worker are looked at, at the launch and at each heartbeat, and hold nothing
    /// that ends them. What is found is tested where it can be planted, `HostDescriptorsTests`.
    @Test func aClassThatHoldsNothingOfTheHostsLivesOn() throws {
        let instance = try Instance()
        let before = try userWorker(of: instance)
        // The next heartbeat is 5 s away at most.
        #expect(!instance.supervisor.waitForLine("is ended:", within: .seconds(7)))
        let ended = try instance.runToEnd("user.fine", argv: ["/bin/echo", "fine"])
        #expect(ended.lines == ["fine"])
        #expect(try userWorker(of: instance) == before)
        #expect(instance.stop() == 0)
    }

    /// As the profile says it, seen by the task and on the host's files.
    @Test(arguments: [nil, "0022", "007"]) func theUmaskIsTheProfiles(mask: String?) throws {
        let instance = try Instance(userProfile: mask.map { "umask: \"\($0)\"\n" } ?? "")
        let script = "umask; : > /aico/work/file; mkdir /aico/work/directory"
        let ended = try instance.runToEnd("user.mask", argv: ["/bin/sh", "-c", script])
        let bits = try #require(UInt32(mask ?? "0077", radix: 8))
        #expect(ended.lines.compactMap { UInt32($0, radix: 8) } == [bits], "\(ended.data.text())")
        for (name, whole) in [("file", UInt32(0o666)), ("directory", 0o777)] {
            var status = stat()
            try #require(stat("\(instance.root)/var/lib/aico/work/\(name)", &status) == 0)
            #expect(status.st_mode & 0o7777 == whole & ~bits, "\(name)")
        }
        #expect(instance.stop() == 0)
    }

    @Test func aLimitThatIsTooLowIsRefusedWithItsNumberAndOption() throws {
        let child = try HostProcess([
            "/bin/sh", "-c", "ulimit -n 100; exec \"$@\"", "sh",
            "\(Built.directory ?? "")/aico-supervisor", "--root", "/tmp/aico-none", "--check",
        ])
        let said = child.remainingOutput(within: Built.patience(seconds: 30))
        #expect(
            said.contains("cannot start with a hard limit of '100 open files': it needs 1024"))
        #expect(said.contains("ulimit -H -n unlimited") && said.contains("LimitNOFILE=infinity"))
        #expect(child.waitForEnd(within: Built.patience(seconds: 10)) == 71 << 8)
    }

    /// A terminal that was stopped, or a pipe whose reader is busy elsewhere. A profile that has the
    /// compiler say something: what it may not have, as everywhere with an older kernel.
    @Test func standardErrorThatNobodyReadsHoldsNothingUp() throws {
        let instance = try Instance(
            userProfile: "layers:\n  landlock:\n    optional: true\n",
            starter: """
                pipe=$(mktemp -u); mkfifo "$pipe"; exec 3<>"$pipe"; rm "$pipe"
                head -c 65536 /dev/zero >&3
                exec "$@" 2>&3
                """, awaiting: nil)
        let first = try instance.runToEnd("user.first", argv: ["/bin/echo", "first"])
        #expect(first.lines == ["first"])
        let worker = try #require(try userWorker(of: instance))
        kill(worker, SIGKILL)
        let deadline = ContinuousClock.now + Built.patience(seconds: 60)
        while try [nil, worker].contains(userWorker(of: instance)) {
            try #require(ContinuousClock.now < deadline)
        }
        let second = try instance.runToEnd("user.second", argv: ["/bin/echo", "second"])
        #expect(second.lines == ["second"])
        #expect(instance.stop() == 0)
    }

    /// The worker, whose fork server has its name and a later number.
    private func userWorker(of instance: Instance) throws -> Int32? {
        try instance.hostProcesses().filter { $0.command.contains("aico-worker-user") }
            .map(\.processID).min()
    }

    private func linkTarget(_ path: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}

/// What ends a system, and how.
@Suite(.serialized, .enabled(if: Built.canStart, Built.reason))
struct SignalTests {
    @Test(arguments: [SIGHUP, SIGINT, SIGQUIT, SIGTERM])
    func itStopsInOrder(signal: Int32) throws {
        let instance = try Instance()
        for other in [SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO] {
            instance.supervisor.signal(other)
        }
        let ended = try instance.runToEnd("user.fine", argv: ["/bin/echo", "fine"])
        #expect(ended.lines == ["fine"])
        instance.supervisor.signal(signal)
        instance.supervisor.signal(signal)
        #expect(instance.supervisor.waitForEnd(within: Built.patience(seconds: 30)) == 0)
        #expect(try instance.cgroups() == [])
    }

    /// nohup(1): whoever ignores a hangup wants to go on without the terminal.
    @Test func aHangupThatIsIgnoredStaysIgnored() throws {
        let instance = try Instance(starter: "trap '' HUP; exec \"$@\"")
        instance.supervisor.signal(SIGHUP)
        let ended = try instance.runToEnd("user.fine", argv: ["/bin/echo", "fine"])
        #expect(ended.lines == ["fine"])
        #expect(instance.stop() == 0)
    }
}
