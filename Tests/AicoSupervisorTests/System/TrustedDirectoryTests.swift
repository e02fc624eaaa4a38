// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Foundation
import Glibc
import LinuxSystem
import Testing

@testable import AicoSupervisor

/// What the supervisor makes as root, and whose directories it does not touch.
@Suite(.enabled(if: geteuid() == 0, "needs root"))
struct TrustedDirectoryTests {
    let scratch: ScratchDirectory
    /// A root inside of it, not made yet.
    var root: String { "\(scratch.path)/root" }

    /// An uid that is nobody's here.
    private static let stranger: UInt32 = 61990

    init() throws { scratch = try ScratchDirectory() }

    private static var identities: Identities? {
        Identities(
            decoding: (0..<6).flatMap { index in
                let word = UInt32(61900 + index)
                let bytes = (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
                return bytes + bytes
            })
    }

    private func entries() throws -> [Layout.Entry] {
        Layout.entries(try #require(Self.identities))
    }

    private func refusal(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func makeAll() throws {
        let directory = try TrustedDirectory.root(root, by: RootPrivilege())
        try directory.makeRuntime()
        try directory.makeLayout(try entries(), parents: Layout.parents)
    }

    @Test func everyDirectoryOfTheLayoutGetsItsOwnerAndMode() throws {
        try makeAll()
        for entry in try entries() + Layout.runtime {
            let status = try scratch.status("root/\(entry.path)")
            #expect(status.st_uid == entry.user, "\(entry.path)")
            #expect(status.st_gid == entry.group, "\(entry.path)")
            #expect(status.st_mode & 0o7777 == entry.mode, "\(entry.path)")
        }
        // The second start finds all of it in place.
        try makeAll()
    }

    @Test func onesOwnModesAndOwnersAreSetRight() throws {
        try makeAll()
        let work = "\(root)/var/lib/aico/work"
        try #require(chmod(work, 0o777) == 0 && chown(work, 0, 0) == 0)
        try makeAll()
        let status = try scratch.status("root/var/lib/aico/work")
        #expect(status.st_mode & 0o7777 == 0o750)
        #expect(status.st_uid == 61904)
    }

    @Test func aRootThatIsClosedToOthersIsOpenedForPassing() throws {
        try #require(mkdir(root, 0o700) == 0)
        _ = try TrustedDirectory.root(root, by: RootPrivilege())
        #expect(try scratch.status("root").st_mode & 0o7777 == 0o711)
    }

    @Test(arguments: [0o775, 0o757, 0o1777] as [mode_t])
    func aRootThatOthersMayWriteIsRefused(mode: mode_t) throws {
        try #require(mkdir(root, 0o755) == 0 && chmod(root, mode) == 0)
        #expect(
            refusal { _ = try TrustedDirectory.root(root, by: RootPrivilege()) }
                == "cannot use '\(root)': others than root may write to it")
        #expect(try scratch.status("root").st_mode & 0o7777 == mode, "and it is left as it was")
    }

    @Test func aRootOfAnotherUserIsRefused() throws {
        try #require(mkdir(root, 0o755) == 0 && chown(root, Self.stranger, 0) == 0)
        #expect(
            refusal { _ = try TrustedDirectory.root(root, by: RootPrivilege()) }
                == "cannot use '\(root)': it belongs to uid \(Self.stranger)")
    }

    @Test func aRootThatIsALinkIsRefused() throws {
        try #require(mkdir("\(scratch.path)/other", 0o755) == 0)
        try #require(symlink("other", root) == 0)
        #expect(
            refusal { _ = try TrustedDirectory.root(root, by: RootPrivilege()) }
                == "cannot open '\(root)': Not a directory")
    }

    @Test(arguments: ["var", "var/lib", "run", "run/aico", "var/lib/aico/store"])
    func aLinkInTheWayIsRefusedAndNotFollowed(place: String) throws {
        try makeAll()
        // What a class could put there, if the directory above were its own.
        let moved = "\(scratch.path)/moved"
        try #require(rename("\(root)/\(place)", moved) == 0)
        try #require(symlink(moved, "\(root)/\(place)") == 0)
        try #require(chmod(moved, 0o700) == 0)
        #expect(
            refusal { try makeAll() }
                == "cannot use '\(root)/\(place)': it is a link or no directory")
        #expect(try scratch.status("moved").st_mode & 0o7777 == 0o700)
    }

    @Test func aFileInTheWayIsRefused() throws {
        try makeAll()
        try #require(rmdir("\(root)/var/lib/aico/work") == 0)
        let file = open("\(root)/var/lib/aico/work", O_CREAT | O_WRONLY, 0o644)
        try #require(file >= 0)
        close(file)
        #expect(
            refusal { try makeAll() }
                == "cannot use '\(root)/var/lib/aico/work': it is a link or no directory")
    }

    @Test(arguments: ["etc", "var/log", "var/lib/aico", "var/lib/aico/keys", "run/aico/worker/3"])
    func aDirectoryOfAnotherUserIsRefusedAndLeftAlone(place: String) throws {
        try makeAll()
        try #require(chown("\(root)/\(place)", Self.stranger, Self.stranger) == 0)
        #expect(
            refusal { try makeAll() }
                == "cannot use '\(root)/\(place)': it belongs to uid \(Self.stranger)")
        #expect(try scratch.status("root/\(place)").st_uid == Self.stranger)
    }

    @Test func oneInstanceRunsInOneRoot() throws {
        try makeAll()
        let first = try TrustedDirectory.root(root, by: RootPrivilege()).lock(Layout.lockFile)
        #expect(
            refusal {
                _ = try TrustedDirectory.root(root, by: RootPrivilege()).lock(Layout.lockFile)
            }
                == "cannot start in '\(root)': another aico-supervisor runs there")
        #expect(try scratch.text("root/\(Layout.lockFile)") == "\(getpid())\n")
        // A file can be removed; the instance runs on.
        try #require(unlink("\(root)/\(Layout.lockFile)") == 0)
        #expect(
            refusal {
                _ = try TrustedDirectory.root(root, by: RootPrivilege()).lock(Layout.lockFile)
            } != nil)
        first.close()
        _ = try TrustedDirectory.root(root, by: RootPrivilege()).lock(Layout.lockFile)
    }

    @Test func anInstanceHasAnIDThatStays() throws {
        try makeAll()
        let id = try TrustedDirectory.root(root, by: RootPrivilege()).instanceID()
        #expect(id.utf8.count == 32 && id.allSatisfy(\.isHexDigit))
        #expect(try TrustedDirectory.root(root, by: RootPrivilege()).instanceID() == id)
        let file = "\(root)/var/lib/aico/instance"
        let status = try scratch.status("root/var/lib/aico/instance")
        #expect(status.st_uid == 0 && status.st_mode & 0o7777 == 0o644)
        try #require(unlink(file) == 0)
        #expect(try TrustedDirectory.root(root, by: RootPrivilege()).instanceID() != id)
        for text in ["", "\n", "\(id)", "\(id)0\n", "../../../../../../../../../../x\n"] {
            try text.write(toFile: file, atomically: false, encoding: .utf8)
            #expect(
                refusal { _ = try TrustedDirectory.root(root, by: RootPrivilege()).instanceID() }
                    == "cannot use '\(file)': it holds no 32 hex digits; remove it, and the next start draws them"
            )
        }
    }

    @Test(arguments: ["run/aico", "run/aico/bus", "run/aico/worker", "run/aico/worker/3"])
    func aRuntimeDirectoryThatGoesIsMissed(path: String) throws {
        try makeAll()
        let runtime = try RuntimeDirectories.note(
            root: root, entries: Layout.runtime + (try entries()))
        let before = runtime.findMissing()
        #expect(before == nil)
        let moved = "\(scratch.path)/moved"
        try #require(rename("\(root)/\(path)", moved) == 0)
        let found = runtime.findMissing()
        let missing = try #require(found)
        #expect(
            "\(missing)" == "cannot go on without '\(root)/\(path)': "
                + "it was removed or replaced while the system ran; start it again")
        // Another in its place is none of ours.
        try makeAll()
        let replaced = runtime.findMissing()
        #expect(replaced == missing)
        try #require(rename("\(root)/\(path)", "\(scratch.path)/other") == 0)
        try #require(rename(moved, "\(root)/\(path)") == 0)
        let after = runtime.findMissing()
        #expect(after == nil)
    }

    @Test func theLockGoesWithItsHolder() throws {
        try makeAll()
        for _ in 0..<2 {
            _ = try TrustedDirectory.root(root, by: RootPrivilege()).lock(Layout.lockFile)
        }
    }

    @Test func aLockFileThatIsALinkIsReplacedAndNotFollowed() throws {
        try makeAll()
        let target = "\(scratch.path)/target"
        try #require(symlink(target, "\(root)/\(Layout.lockFile)") == 0)
        let lock = try TrustedDirectory.root(root, by: RootPrivilege()).lock(Layout.lockFile)
        #expect(access(target, F_OK) != 0, "nothing is made behind the link")
        #expect(try scratch.text("root/\(Layout.lockFile)") == "\(getpid())\n")
        lock.close()
    }
}
