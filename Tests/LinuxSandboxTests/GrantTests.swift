// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SandboxProfiles
import SystemPackage
import Testing

@testable import LinuxSandbox

/// What a class is granted of the host, looked up for each attempt on the real kernel.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct GrantTests {
    @Test(arguments: [true, false]) func diskMountedLaterIsSeenByTheNextAttempt(
        userNamespace: Bool
    ) throws {
        let list = "list /srv/data"
        let fixture = try GrantFixture(
            userNamespace: userNamespace, [list, list, "list /srv/data/below", list]
        ) { host in
            mkdir("\(host)/data", 0o755)
            makeFile("\(host)/data/old")
            return [GrantFixture.grant("\(host)/data", as: "/srv/data")]
        }
        let data = "\(fixture.host)/data"
        #expect(try fixture.next().said == "old")
        #expect(mount("none", data, "tmpfs", 0, nil) == 0)
        mkdir("\(data)/below", 0o755)
        #expect(try fixture.next().said == "below")
        // One beneath it as well.
        #expect(mount("none", "\(data)/below", "tmpfs", 0, nil) == 0)
        makeFile("\(data)/below/deep")
        #expect(try fixture.next().said == "deep")
        umount2(data, Int32(MNT_DETACH))
        #expect(try fixture.next().said == "old")
        #expect(hostStatus(fixture.worker.pid)["Name"] == "sandbox-fixture")
    }

    /// The kernel gives the number of a mount that is gone to the next one.
    @Test func diskThatIsExchangedIsSeenByTheNextAttempt() throws {
        let list = "list /srv/data/below"
        let fixture = try GrantFixture([list, list]) { host in
            mkdir("\(host)/data", 0o755)
            mkdir("\(host)/data/below", 0o755)
            return [GrantFixture.grant("\(host)/data", as: "/srv/data")]
        }
        let place = "\(fixture.host)/data/below"
        for name in ["one", "two"] {
            umount2(place, Int32(MNT_DETACH))
            #expect(mount("none", place, "tmpfs", 0, nil) == 0)
            makeFile("\(place)/\(name)")
            #expect(try fixture.next().said == name)
        }
    }

    @Test(arguments: [true, false]) func replacedFileIsTheNewOne(userNamespace: Bool) throws {
        let fixture = try GrantFixture(
            userNamespace: userNamespace, ["text /srv/file", "text /srv/file"]
        ) { host in
            makeFile("\(host)/file", "one")
            return [GrantFixture.grant("\(host)/file", as: "/srv/file")]
        }
        #expect(try fixture.next().said == "one")
        makeFile("\(fixture.host)/new", "two")
        rename("\(fixture.host)/new", "\(fixture.host)/file")
        #expect(try fixture.next().said == "two")
    }

    /// It is told to every attempt, as what was not there for it; who does not need it runs on.
    @Test(arguments: [true, false]) func missingPathIsToldAndHoldsNobodyUp(
        userNamespace: Bool
    ) throws {
        let write = "write /srv/data/file"
        let fixture = try GrantFixture(
            userNamespace: userNamespace,
            [write, "list /srv/other", "list /srv/data", write, write, "list /srv/other"]
        ) { host in
            mkdir("\(host)/other", 0o755)
            makeFile("\(host)/other/seen")
            return [
                GrantFixture.grant(.bindWritable, "\(host)/data", as: "/srv/data"),
                GrantFixture.grant("\(host)/none", as: "/srv/none", ifExists: true),
                GrantFixture.grant("\(host)/other", as: "/srv/other"),
            ]
        }
        let missing = "missing=mounts/\(ENOENT)/show '\(fixture.host)/data'"
        func isTold(_ outcome: Outcome) -> Bool { outcome.confined?.hasSuffix(missing) == true }
        let early = try fixture.next()
        #expect(isTold(early) && early.said == "errno \(ENOENT)", "\(early)")
        let beside = try fixture.next()
        #expect(isTold(beside) && beside.said == "seen", "\(beside)")
        mkdir("\(fixture.host)/data", 0o777)
        chmod("\(fixture.host)/data", 0o777)
        makeFile("\(fixture.host)/data/here")
        let there = try fixture.next()
        #expect(there.said == "here" && there.confined?.hasSuffix("missing=") == true, "\(there)")
        #expect(try fixture.next().said == "ok", "the control")
        // Where it was, nothing can be written: a copy does not end on the wrong disk.
        rename("\(fixture.host)/data", "\(fixture.host)/away")
        let late = try fixture.next()
        #expect(isTold(late) && late.said?.hasPrefix("errno ") == true, "\(late)")
        #expect(try fixture.next().said == "seen")
    }

    /// `mv sub away`: what could be made at the path of what is gone would be writable.
    @Test(arguments: [true, false]) func whatHoldsAMissingPathIsNotThereEither(
        userNamespace: Bool
    ) throws {
        let fixture = try GrantFixture(
            userNamespace: userNamespace,
            [
                "write /srv/data/sub/kept/file", "mkdir /srv/data/made", "list /srv/data/low",
                "mkdir /srv/data/sub", "write /srv/data/sub/kept/file", "mkdir /srv/data/sub",
            ]
        ) { host in
            for name in ["data", "data/sub", "data/sub/kept", "data/low"] {
                mkdir("\(host)/\(name)", 0o777)
                chmod("\(host)/\(name)", 0o777)
            }
            makeFile("\(host)/data/low/seen")
            return [
                GrantFixture.grant(.bindWritable, "\(host)/data", as: "/srv/data"),
                GrantFixture.grant("\(host)/data/sub/kept", as: "/srv/data/sub/kept"),
                GrantFixture.grant("\(host)/data/low", as: "/srv/data/low"),
                GrantFixture.grant("\(host)/data/may", as: "/srv/data/may", ifExists: true),
            ]
        }
        let sub = "\(fixture.host)/data/sub"
        #expect(try fixture.next().said == "errno \(EROFS)")
        #expect(try fixture.next().said == "ok", "the control")
        try #require(rename(sub, sub + "2") == 0)
        let beside = try fixture.next()
        #expect(
            beside.confined?.hasSuffix("missing=mounts/\(ENOENT)/show '\(sub)/kept'") == true,
            "\(beside)")
        // One that is there, and read-only, stays.
        #expect(beside.said == "seen", "\(beside)")
        let made = try fixture.next()
        #expect(made.said?.hasPrefix("errno ") == true, "\(made)")
        #expect(access(sub, F_OK) != 0)
        try #require(rename(sub + "2", sub) == 0)
        #expect(try fixture.next().said == "errno \(EROFS)")
        #expect(try fixture.next().said == "errno \(EEXIST)")
    }

    /// By a user who owns the directory that is granted, as one who writes to it.
    @Test func linkThatOthersThanRootCanChangeIsNotFollowed() throws {
        let list = "list /srv/home/data"
        let fixture = try GrantFixture([list, list, "text /srv/link"]) { host in
            mkdir("\(host)/home", 0o755)
            mkdir("\(host)/home/data", 0o755)
            makeFile("\(host)/home/data/mine")
            chown("\(host)/home", 65534, 65534)
            chown("\(host)/home/data", 65534, 65534)
            mkdir("\(host)/secret", 0o700)
            makeFile("\(host)/secret/key", "key")
            chmod("\(host)/secret/key", 0o644)
            symlink("secret/key", "\(host)/link")
            return [
                GrantFixture.grant("\(host)/home/data", as: "/srv/home/data"),
                GrantFixture.grant("\(host)/link", as: "/srv/link"),
            ]
        }
        let data = "\(fixture.host)/home/data"
        #expect(try fixture.next().said == "mine")
        let child = aico_fork()
        if child == 0 {
            _ = setgid(65534)
            _ = setuid(65534)
            unlink("\(data)/mine")
            _exit(rmdir(data) == 0 && symlink("../secret", data) == 0 ? 0 : 1)
        }
        var status: Int32 = 0
        waitpid(child, &status, 0)
        try #require(status == 0)
        // The control: whoever follows it as root sees what lies there.
        #expect(entries(of: data) == ["key"])
        let led = try fixture.next()
        #expect(
            led.confined?.hasSuffix(
                "mounts/\(ELOOP)/follow a link of '\(data)' that others than root can change")
                == true,
            "\(led)")
        #expect(led.said?.hasPrefix("errno ") == true, "\(led)")
        // Root's own link is followed, once that is mended.
        unlink(data)
        mkdir(data, 0o755)
        #expect(try fixture.next().said == "key")
    }

    /// As on a stick that a user wrote elsewhere, with whatever owners.
    @Test(arguments: [false, true]) func linkOnANosuidMountIsNobodys(isNosuid: Bool) throws {
        let fixture = try GrantFixture(["list /srv/link"]) { host in
            let data = "\(host)/data"
            mkdir(data, 0o755)
            let flags = isNosuid ? UInt(MS_NOSUID) : 0
            try #require(mount("none", data, "tmpfs", flags, "mode=0755") == 0)
            mkdir("\(data)/real", 0o755)
            makeFile("\(data)/real/seen")
            symlink("real", "\(data)/link")
            return [GrantFixture.grant("\(data)/link", as: "/srv/link")]
        }
        let outcome = try fixture.next()
        if isNosuid {
            #expect(outcome.confined?.contains("mounts/\(ELOOP)/") == true, "\(outcome)")
            #expect(outcome.said?.hasPrefix("errno ") == true, "\(outcome)")
        } else {
            #expect(outcome.said == "seen")
        }
    }

    @Test func linkOfRootsIsHeldAgainstTheCeiling() throws {
        let fixture = try GrantFixture(
            permitting: { _, path in !path.hasSuffix("/secret") },
            ["list /srv/link", "list /srv/link"]
        ) { host in
            mkdir("\(host)/secret", 0o755)
            mkdir("\(host)/open", 0o755)
            makeFile("\(host)/open/seen")
            symlink("secret", "\(host)/link")
            return [GrantFixture.grant("\(host)/link", as: "/srv/link")]
        }
        let link = "\(fixture.host)/link"
        let led = try fixture.next()
        #expect(
            led.confined?.hasSuffix(
                "mounts/\(EACCES)/show '\(link)', whose links lead to what the class may not see")
                == true, "\(led)")
        #expect(led.said?.hasPrefix("errno ") == true, "\(led)")
        unlink(link)
        symlink("open", link)
        #expect(try fixture.next().said == "seen")
    }

    @Test(arguments: [true, false]) func modeOfTheClassesDirectoryIsRestored(
        userNamespace: Bool
    ) throws {
        let fixture = try GrantFixture(
            userNamespace: userNamespace, modes: ["/work": 0o750],
            ["close /aico/work", "mkdir /aico/work/made"]
        ) { host in
            mkdir("\(host)/work", 0o750)
            chown("\(host)/work", 61004, 61004)
            return [GrantFixture.grant(.bindWritable, "\(host)/work", as: "/aico/work")]
        }
        #expect(try fixture.next().said == "ok")
        var status = stat()
        stat("\(fixture.host)/work", &status)
        #expect(status.st_mode & 0o7777 == 0)
        #expect(try fixture.next().said == "ok")
        stat("\(fixture.host)/work", &status)
        #expect(status.st_mode & 0o7777 == 0o750)
        #expect(access("\(fixture.host)/work/made", F_OK) == 0)
    }

    @Test func readOnlyPathBeneathAWritableOneStaysSo() throws {
        let fixture = try GrantFixture([
            "write /srv/data/kept/file", "write /srv/data/other/file", "write /srv/data/file",
        ]) { host in
            for name in ["data", "data/kept", "data/other"] {
                mkdir("\(host)/\(name)", 0o777)
                chmod("\(host)/\(name)", 0o777)
            }
            return [
                GrantFixture.grant(.bindWritable, "\(host)/data", as: "/srv/data"),
                GrantFixture.grant("\(host)/data/kept", as: "/srv/data/kept"),
            ]
        }
        #expect(try fixture.next().said == "errno \(EROFS)")
        // The control: beside it the same is possible.
        #expect(try fixture.next().said == "ok")
        #expect(try fixture.next().said == "ok")
        #expect(access("\(fixture.host)/data/kept/file", F_OK) != 0)
        #expect(access("\(fixture.host)/data/other/file", F_OK) == 0)
    }

    /// What is removed takes the mount on it along, and the next directory gets its inode's number.
    @Test func readOnlyPathThatTheHostMakesAnewStaysSo() throws {
        let fixture = try GrantFixture([
            "write /srv/data/kept/file", "write /srv/data/kept/file", "write /srv/data/file",
        ]) { host in
            for name in ["data", "data/kept"] {
                mkdir("\(host)/\(name)", 0o777)
                chmod("\(host)/\(name)", 0o777)
            }
            return [
                GrantFixture.grant(.bindWritable, "\(host)/data", as: "/srv/data"),
                GrantFixture.grant("\(host)/data/kept", as: "/srv/data/kept"),
            ]
        }
        let kept = "\(fixture.host)/data/kept"
        #expect(try fixture.next().said == "errno \(EROFS)")
        try #require(rmdir(kept) == 0 && mkdir(kept, 0o777) == 0 && chmod(kept, 0o777) == 0)
        #expect(try fixture.next().said == "errno \(EROFS)")
        #expect(try fixture.next().said == "ok")
        #expect(access("\(kept)/file", F_OK) != 0)
    }

    /// A task that may write to a directory can put a link where the way to another grant leads.
    @Test func linkOnTheWayToOneUncoversNoOther() throws {
        let fixture = try GrantFixture([
            "write /srv/data/kept/file", "write /srv/data/kept/file", "write /srv/data/file",
            "write /srv/data/kept/file", "write /srv/data/file",
        ]) { host in
            for name in ["data", "data/kept", "data/sub", "data/sub/kept"] {
                mkdir("\(host)/\(name)", 0o777)
                chmod("\(host)/\(name)", 0o777)
            }
            return [
                GrantFixture.grant(.bindWritable, "\(host)/data", as: "/srv/data"),
                GrantFixture.grant("\(host)/data/kept", as: "/srv/data/kept"),
                GrantFixture.grant("\(host)/data/sub/kept", as: "/srv/data/sub/kept"),
            ]
        }
        let sub = "\(fixture.host)/data/sub"
        #expect(try fixture.next().said == "errno \(EROFS)")
        try #require(rename(sub, sub + "2") == 0 && symlink(".", sub) == 0)
        for _ in 0..<2 {
            let led = try fixture.next()
            #expect(led.confined?.contains("mounts/\(ELOOP)/") == true, "\(led)")
            #expect(led.said?.hasPrefix("errno ") == true, "\(led)")
        }
        try #require(unlink(sub) == 0 && rename(sub + "2", sub) == 0)
        #expect(try fixture.next().said == "errno \(EROFS)")
        #expect(try fixture.next().said == "ok")
        #expect(access("\(fixture.host)/data/kept/file", F_OK) != 0)
    }

    /// The one that comes after it shows what changed meanwhile, and nobody begins with what was
    /// shown before.
    @Test(.enabled(if: SilentFileSystem.isPossible, "needs /dev/fuse"))
    func keeperThatHangsIsKilledAndMadeAnew() throws {
        let list = "list /srv/data"
        let fixture = try GrantFixture([list, list, list]) { host in
            for name in ["data", "slow", "slow/data"] { mkdir("\(host)/\(name)", 0o755) }
            makeFile("\(host)/data/old")
            return [
                GrantFixture.grant("\(host)/data", as: "/srv/data"),
                GrantFixture.grant("\(host)/slow/data", as: "/srv/slow"),
            ]
        }
        let data = "\(fixture.host)/data"
        let keeper = try #require(fixture.worker.grants)
        #expect(try fixture.next().said == "old")
        do {
            let silent = try SilentFileSystem(on: "\(fixture.host)/slow")
            let refused = try fixture.next().refused
            #expect(refused == "mounts \(ETIMEDOUT) look at '\(silent.path)/data'")
            var ended = pollfd(fd: keeper.descriptor, events: Int16(POLLIN), revents: 0)
            #expect(poll(&ended, 1, 10_000) == 1)
        }
        #expect(mount("none", data, "tmpfs", 0, nil) == 0)
        makeFile("\(data)/new")
        #expect(try keeper.startAgain())
        #expect(try fixture.next().said == "new")
    }

    /// It has CAP_SYS_ADMIN, and reads what others made: the calls that it needs are all it may make.
    @Test func keeperMakesNoOtherCalls() throws {
        let fixture = try GrantFixture(["list /srv/data"]) { host in
            mkdir("\(host)/data", 0o755)
            mkdir("\(host)/data/inside", 0o755)
            return [GrantFixture.grant("\(host)/data", as: "/srv/data")]
        }
        // As the host sees the one that runs; it still shows what was granted.
        let status = hostStatus(try #require(fixture.worker.grants).processID)
        #expect(status["Name"] == "aico-grants" && status["Seccomp"] == "2")
        #expect(status["CapEff"] != "0000000000000000")
        #expect(try fixture.next().said == "inside")
        // The same filter in a process of root's that says what came of each call, with it and before.
        let filter = try SystemFilters.compile().keeper
        let path = "\(fixture.host)/filter"
        try filter.withUnsafeBytes { bytes in
            let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
            defer { close(file) }
            try #require(write(file, bytes.baseAddress, bytes.count) == bytes.count)
        }
        let refused = EPERM
        let calls = try AttemptFixture.outside("keeper \(path)")
        #expect(
            calls == """
                socket 0, mount \(ENOENT), fork 0, memfd 0, kill 0, setns 0, openat 0, \
                unshare 0; socket \(refused), mount \(refused), fork \(refused), memfd \(refused), \
                kill \(refused), setns \(refused), openat 0, unshare \(refused)
                """)
    }

    /// Its end is told by whoever sees the class's: nothing is to be made anew.
    @Test func keeperLeftByItsClassIsNotMadeAnew() throws {
        let fixture = try GrantFixture(["list /srv/data"]) { host in
            mkdir("\(host)/data", 0o755)
            return [GrantFixture.grant("\(host)/data", as: "/srv/data")]
        }
        let keeper = try #require(fixture.worker.grants)
        #expect(kill(fixture.worker.pid, SIGKILL) == 0)
        var ended = pollfd(fd: keeper.descriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&ended, 1, 10_000) == 1)
        #expect(try !keeper.startAgain())
        #expect(keeper.end() == nil)
    }

    /// A check before a start, too, ends; the path and what was found before it are named.
    @Test(.enabled(if: SilentFileSystem.isPossible, "needs /dev/fuse"))
    func checkOfAPathThatGivesNoAnswerEndsInTime() throws {
        let directory = try #require(makeTemporaryDirectory())
        defer { removeTree(directory) }
        let silent = try SilentFileSystem(on: directory)
        var plan = Plan()
        plan.mounts = ["/nowhere/none", "\(directory)/data"].map {
            GrantFixture.grant($0, as: $0)
        }
        let began = Clock.monotonic
        let findings = try GrantCheck.findings(plan)
        #expect(Clock.monotonic - began < .seconds(20))
        #expect(
            findings == [
                GrantCheck.Finding(path: "/nowhere/none", errno: .noSuchFileOrDirectory),
                GrantCheck.Finding(path: "\(silent.path)/data", errno: .timedOut),
            ])
    }

    /// What the keeper before showed is not taken over where something beneath it is gone since.
    @Test(.enabled(if: SilentFileSystem.isPossible, "needs /dev/fuse"))
    func keeperMadeAnewShowsNothingThatHoldsAMissingPath() throws {
        let write = "write /srv/data/file"
        let fixture = try GrantFixture([write, "nothing", write]) { host in
            for name in ["data", "data/kept", "slow", "slow/data"] {
                mkdir("\(host)/\(name)", 0o777)
                chmod("\(host)/\(name)", 0o777)
            }
            return [
                GrantFixture.grant(.bindWritable, "\(host)/data", as: "/srv/data"),
                GrantFixture.grant("\(host)/data/kept", as: "/srv/data/kept"),
                GrantFixture.grant("\(host)/slow/data", as: "/srv/slow"),
            ]
        }
        let keeper = try #require(fixture.worker.grants)
        #expect(try fixture.next().said == "ok", "the control")
        do {
            let silent = try SilentFileSystem(on: "\(fixture.host)/slow")
            let refused = try fixture.next().refused
            #expect(refused == "mounts \(ETIMEDOUT) look at '\(silent.path)/data'")
            var ended = pollfd(fd: keeper.descriptor, events: Int16(POLLIN), revents: 0)
            #expect(poll(&ended, 1, 10_000) == 1)
        }
        // It takes the mount on it along.
        try #require(rmdir("\(fixture.host)/data/kept") == 0)
        #expect(try keeper.startAgain())
        let outcome = try fixture.next()
        #expect(outcome.said?.hasPrefix("errno ") == true, "\(outcome)")
    }

    /// The launch does not wait, and the attempt ends with the path.
    @Test(.enabled(if: SilentFileSystem.isPossible, "needs /dev/fuse"))
    func pathThatGivesNoAnswerHoldsUpItsOwnClassOnly() throws {
        let directory = try #require(makeTemporaryDirectory())
        defer { removeTree(directory) }
        let silent = try SilentFileSystem(on: directory)
        #expect(silent.hangsOutside())
        let fixture = try GrantFixture(["nothing", "nothing"]) { _ in
            [GrantFixture.grant("\(directory)/data", as: "/srv/data")]
        }
        let refused = try fixture.next().refused
        #expect(refused == "mounts \(ETIMEDOUT) look at '\(directory)/data'")
    }
}
