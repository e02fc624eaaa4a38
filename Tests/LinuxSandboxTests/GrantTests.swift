// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
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

    @Test func missingPathFailsAttemptsByNameAndNotTheClass() throws {
        let list = "list /srv/data"
        let fixture = try GrantFixture([list, list, list]) { host in
            [
                GrantFixture.grant(.bindWritable, "\(host)/data", as: "/srv/data"),
                GrantFixture.grant("\(host)/none", as: "/srv/none", ifExists: true),
            ]
        }
        let missing = "mounts \(ENOENT) show '\(fixture.host)/data'"
        #expect(try fixture.next().refused == missing)
        mkdir("\(fixture.host)/data", 0o755)
        makeFile("\(fixture.host)/data/here")
        #expect(try fixture.next().said == "here")
        rename("\(fixture.host)/data", "\(fixture.host)/away")
        #expect(try fixture.next().refused == missing)
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
        #expect(
            try fixture.next().refused
                == "mounts \(ELOOP) follow a link of '\(data)' that others than root can change")
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
            #expect(outcome.refused?.hasPrefix("mounts \(ELOOP) ") == true, "\(outcome)")
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
        #expect(
            try fixture.next().refused
                == "mounts \(EACCES) show '\(link)', whose links lead to what the class may not see"
        )
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
            "write /srv/data/kept/file", "nothing", "write /srv/data/kept/file",
            "write /srv/data/file",
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
        #expect(try fixture.next().refused?.hasPrefix("mounts \(ELOOP) ") == true)
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
        try keeper.startAgain()
        #expect(try fixture.next().said == "new")
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
