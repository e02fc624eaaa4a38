// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSandbox
import LinuxSystem

/// A program that is started with no right but its uid.
struct Program {
    var path: String
    /// The words after the program's name.
    var arguments: [String]
    var identity: Identities.Identity
    var umask: UInt32 = 0o077
    /// Descriptors that become 3, 4, ...
    var descriptors: [Int32] = []
    /// Becomes standard output; nil keeps the supervisor's.
    var output: Int32?
    /// Becomes standard error; nil keeps the supervisor's.
    var errors: Int32?
    var entry: CgroupEntry?
    var filter: [FilterInstruction] = []

    /// Starts it; it ends with the supervisor.
    func launch() throws(SupervisorError) -> ChildProcess {
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        // An allow-list of one: no LD_ or locale variable of the caller reaches a child.
        var envp: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { for text in argv + envp { free(text) } }
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        let pid = argv.withUnsafeMutableBufferPointer { argv in
            envp.withUnsafeMutableBufferPointer { envp in
                (entry?.joinDescriptors ?? []).withUnsafeBufferPointer { joins in
                    descriptors.withUnsafeBufferPointer { fds in
                        filter.withUnsafeBytes { filter in
                            var launch = aico_launch(
                                path: argv[0], argv: argv.baseAddress, envp: envp.baseAddress,
                                uid: identity.user, gid: identity.group, umask: umask,
                                cgroup_fd: entry?.cloneDescriptor ?? -1,
                                join_fds: joins.baseAddress, join_count: joins.count,
                                fds: fds.baseAddress, fd_count: fds.count,
                                output_fd: output ?? -1, errors_fd: errors ?? -1,
                                filter: filter.isEmpty ? nil : filter.baseAddress,
                                filter_count: UInt16(filter.count / 8))
                            return aico_launch(&launch, &pidfd, &stage)
                        }
                    }
                }
            }
        }
        guard pid > 0 else { throw .system("launch (step \(stage))", path) }
        return ChildProcess(processID: pid, descriptor: Descriptor(owning: pidfd))
    }
}

/// A child known by its pidfd.
final class ChildProcess {
    let processID: Int32
    let descriptor: Descriptor

    init(processID: Int32, descriptor: consuming Descriptor) {
        self.processID = processID
        self.descriptor = consume descriptor
    }

    /// How it ended, if it has; reaps it then.
    func reap() -> WaitStatus? {
        var status: Int32 = 0
        switch aico_pidfd_reap(descriptor.number, &status) {
        case 1: return WaitStatus(status)
        case 0: return nil
        // Reaped elsewhere: its status is lost, its end is not.
        default: return .signaled(signal: SIGKILL)
        }
    }

    /// Sends a signal; a process that is gone already is fine.
    func signal(_ number: Int32) { _ = aico_pidfd_signal(descriptor.number, number) }

    /// How long a killed process is waited for: it ends at once, but for one that hangs in a call
    /// of a file system that does not answer.
    static let endPatience = Duration.seconds(2)

    /// Kills it; its status, or nil where it does not end in time.
    func end() -> WaitStatus? {
        signal(SIGKILL)
        return wait(for: Self.endPatience)
    }

    /// Waits for its end; nil where it takes longer.
    func wait(for timeout: Duration?) -> WaitStatus? {
        var set = PollSet()
        set.add(descriptor.number)
        _ = try? set.wait(for: timeout)
        return reap()
    }
}
